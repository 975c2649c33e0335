// `npm run -s pictures [-- --only REGEX of file names] [--no-axe]`: the window photographed, into test/artifacts/pictures.
// Exit 1 where axe, the page's console or the layout has something to say.
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
  options: { only: { type: 'string' }, 'no-axe': { type: 'boolean', default: false } },
});
await buildAll({ always: false });
// By its address: what runs in a page is typed with the tests, not with the services.
const file = pathToFileURL(join(repositoryRoot, 'test', 'pictures', 'take.ts')).href;
const { takePictures } = (await import(file)) as Pictures;
const found = await takePictures({
  folder: join(repositoryRoot, 'test', 'artifacts', 'pictures'),
  only: values.only === undefined ? null : new RegExp(values.only),
  isAxed: !values['no-axe'],
  say: line => console.log(line),
});
for (const line of found) console.log(line);
console.log(`${found.length} findings`);
process.exit(found.length === 0 ? 0 : 1);
