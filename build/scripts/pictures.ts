// `npm run -s pictures [-- --only REGEX of file names] [--no-axe] [--readme]`: takes pictures of the window,
// into test/artifacts/pictures; with --readme only the README's picture, put where the README shows it. Exit
// 1 when axe, the page's console or the layout has a complaint.
import { copyFileSync } from 'node:fs';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { parseArgs } from 'node:util';
import { buildAll } from '../build-all.ts';
import { repositoryRoot } from '../layers.ts';

interface Pictures {
  takePictures(options: {
    readonly folder: string;
    readonly only: RegExp | null;
    readonly isAxed: boolean;
    readonly say: (line: string) => void;
  }): Promise<string[]>;
}

const { values } = parseArgs({
  options: {
    only: { type: 'string' },
    'no-axe': { type: 'boolean', default: false },
    readme: { type: 'boolean', default: false },
  },
});
const README = 'full-history-light-en';
const folder = join(repositoryRoot, 'test', 'artifacts', 'pictures');
const only = values.readme ? `^${README}$` : values.only;
await buildAll({ always: false });
// Imported by URL: code that runs in a page is type-checked with the tests, not with the services.
const file = pathToFileURL(join(repositoryRoot, 'test', 'pictures', 'take.ts')).href;
const { takePictures } = (await import(file)) as Pictures;
const found = await takePictures({
  folder,
  only: only === undefined ? null : new RegExp(only),
  isAxed: !values['no-axe'],
  say: line => console.log(line),
});
if (values.readme && found.length === 0)
  copyFileSync(join(folder, `${README}.png`), join(repositoryRoot, 'build', 'screenshots', 'history.png'));
for (const line of found) console.log(line);
console.log(`${found.length} findings`);
process.exit(found.length === 0 ? 0 : 1);
