// The version of this repository: package.json alone says it.
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { repositoryRoot } from './layers.ts';

export const projectVersion = (): string =>
  (JSON.parse(readFileSync(join(repositoryRoot, 'package.json'), 'utf8')) as { version: string }).version;
