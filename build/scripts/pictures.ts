// `npm run -s pictures [-- --only REGEX of file names] [--no-axe]`: the window photographed, into test/artifacts/pictures.
// Exit 1 where axe, the page's console or the layout has something to say.
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { takePictures } from '../../test/pictures/take.ts';
import { buildAll } from '../build-all.ts';
import { repositoryRoot } from '../layers.ts';

const { values } = parseArgs({
  options: { only: { type: 'string' }, 'no-axe': { type: 'boolean', default: false } },
});
await buildAll({ always: false });
const found = await takePictures({
  folder: join(repositoryRoot, 'test', 'artifacts', 'pictures'),
  only: values.only === undefined ? null : new RegExp(values.only),
  isAxed: !values['no-axe'],
  say: line => console.log(line),
});
for (const line of found) console.log(line);
console.log(`${found.length} findings`);
process.exit(found.length === 0 ? 0 : 1);
