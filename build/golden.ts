// `node build/golden.ts` rewrites the committed copies of the contracts; test/golden/contract.test.ts
// compares them. So a change to the data that crosses a process boundary shows in review.
import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { storageContract } from '../electron/storage/contract.ts';
import { contract } from '../shared/rpc/contract.ts';
import { describeContract } from '../shared/rpc/hash.ts';
import { repositoryRoot } from './layers.ts';

const folder = join(repositoryRoot, 'test', 'golden');
const table = (text: unknown): string => `${JSON.stringify(text, null, 1)}\n`;

export const goldenFiles = (): Readonly<Record<string, string>> => ({
  [join(folder, 'contract.json')]: table(describeContract(contract)),
  [join(folder, 'storage-contract.json')]: table(describeContract(storageContract)),
});

if (process.argv[1] === import.meta.filename) {
  mkdirSync(folder, { recursive: true });
  for (const [path, text] of Object.entries(goldenFiles())) writeFileSync(path, text);
}
