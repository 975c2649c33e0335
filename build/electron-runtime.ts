// Finds Electron's runtime, and makes one bounded try to fetch it: it comes from outside the npm registry and
// is missing on closed networks (DESIGN §2). A failed try is remembered for a day.
import { spawnSync } from 'node:child_process';
import { existsSync, mkdirSync, readFileSync, statSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { repositoryRoot } from './layers.ts';

const FETCH_TIMEOUT_MS = 60_000;
const FORGET_MS = 24 * 3600 * 1000;
const packageFolder = join(repositoryRoot, 'node_modules', 'electron');
const triedFile = join(repositoryRoot, 'node_modules', '.cache', 'ebb-electron-fetch-failed');

export interface ElectronRuntime {
  /** Path of Electron's executable; empty: there is none, and `reason` says why. */
  readonly executable: string;
  readonly reason: string;
}

export function electronRuntime(): ElectronRuntime {
  const pathFile = join(packageFolder, 'path.txt');
  if (!existsSync(pathFile)) return { executable: '', reason: 'it has not been downloaded' };
  const executable = join(packageFolder, 'dist', readFileSync(pathFile, 'utf8').trim());
  return existsSync(executable)
    ? { executable, reason: '' }
    : { executable: '', reason: 'its download is incomplete' };
}

/** Tries once a day, so that a start on a network without the runtime waits for it only once. */
export function fetchElectronRuntime(): ElectronRuntime {
  const present = electronRuntime();
  if (present.executable !== '') return present;
  if (existsSync(triedFile) && Date.now() - statSync(triedFile).mtimeMs < FORGET_MS) {
    return { executable: '', reason: 'its download failed earlier today' };
  }
  spawnSync(process.execPath, [join(packageFolder, 'install.js')], {
    stdio: 'ignore',
    timeout: FETCH_TIMEOUT_MS,
  });
  const fetched = electronRuntime();
  if (fetched.executable !== '') return fetched;
  mkdirSync(dirname(triedFile), { recursive: true });
  writeFileSync(triedFile, '');
  return { executable: '', reason: 'it could not be downloaded from this network' };
}
