// Builds services, shells and renderer into dist/; skipped when no source of theirs has changed.
import { createHash } from 'node:crypto';
import { existsSync, readdirSync, readFileSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { bundleElectron } from './bundle.ts';
import { thirdPartyNotices } from './collect-licences.ts';
import { repositoryRoot } from './layers.ts';
import { runTool } from './scripts/process.ts';

const SOURCES = ['shared', 'electron', 'renderer', 'build'];
const stampFile = join(repositoryRoot, 'dist', '.stamp');

function fingerprint(): string {
  const hash = createHash('sha256').update(readFileSync(join(repositoryRoot, 'package-lock.json')));
  for (const folder of SOURCES) {
    for (const name of readdirSync(join(repositoryRoot, folder), {
      recursive: true,
      encoding: 'utf8',
    }).sort()) {
      const stat = statSync(join(repositoryRoot, folder, name));
      if (stat.isFile()) hash.update(`${folder}/${name} ${stat.size} ${stat.mtimeMs}\n`);
    }
  }
  return hash.digest('hex');
}

/** Bundles in a process of its own, so that `npm start` does not keep the bundler's memory. */
async function buildPage(): Promise<void> {
  const vite = join(repositoryRoot, 'node_modules', 'vite', 'bin', 'vite.js');
  const args = [vite, 'build', '--config', 'build/vite.config.ts', '--logLevel', 'warn'];
  const { status } = await runTool(process.execPath, args);
  if (status !== 0) throw new Error('the page could not be built; see above');
}

export async function buildAll({ always }: { readonly always: boolean }): Promise<void> {
  const print = fingerprint();
  if (!always && existsSync(stampFile) && readFileSync(stampFile, 'utf8') === print) return;
  await bundleElectron();
  await buildPage();
  writeFileSync(join(repositoryRoot, 'dist', 'renderer', 'licences.txt'), thirdPartyNotices());
  writeFileSync(stampFile, print);
}
