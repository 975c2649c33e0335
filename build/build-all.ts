// Builds dist/ whole: bundles and the renderer. Skipped where nothing is newer than the last build.
import { existsSync, readdirSync, statSync, utimesSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { build } from 'vite';
import { bundleElectron } from './bundle.ts';
import { repositoryRoot } from './layers.ts';

const stampFile = join(repositoryRoot, 'dist', '.built');
const INPUTS = ['electron', 'shared', 'renderer', 'build', 'package-lock.json'];

function newestMs(path: string): number {
  if (!statSync(path).isDirectory()) return statSync(path).mtimeMs;
  return readdirSync(path, { recursive: true, withFileTypes: true })
    .filter(entry => entry.isFile())
    .reduce((newest, entry) => Math.max(newest, statSync(join(entry.parentPath, entry.name)).mtimeMs), 0);
}

function isFresh(): boolean {
  if (!existsSync(stampFile)) return false;
  const builtMs = statSync(stampFile).mtimeMs;
  return INPUTS.every(input => newestMs(join(repositoryRoot, input)) < builtMs);
}

/** Resolves true when it built, false when dist/ was fresh already. */
export async function buildAll(options: { readonly always: boolean }): Promise<boolean> {
  if (!options.always && isFresh()) return false;
  // Taken before reading the sources: what changes while building is built again next time.
  const startedAt = new Date();
  const bundles = await bundleElectron();
  await build({ configFile: join(repositoryRoot, 'build', 'vite.config.ts'), logLevel: 'warn' });
  writeFileSync(stampFile, `${startedAt.toISOString()}\n${bundles.join('\n')}\n`);
  utimesSync(stampFile, startedAt, startedAt);
  return true;
}
