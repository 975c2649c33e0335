// Packages as their folders lie after unpacking, without Electron: the runtime of a version, run by its own `ebb`.
import { spawnSync } from 'node:child_process';
import { cpSync, mkdirSync, readlinkSync } from 'node:fs';
import { join } from 'node:path';
import { buildAll } from '../../build/build-all.ts';
import { bundleElectron } from '../../build/bundle.ts';
import { repositoryRoot } from '../../build/layers.ts';
import { hostTarget } from '../../build/package/pack.ts';
import { stageRuntime } from '../../build/package/stage.ts';

/** What a machine has that never saw this repository: its tools, no Node of anybody's choosing. */
const PATH = '/usr/bin:/bin:/usr/sbin:/sbin';

/** `<folder>/resources/runtime`, as electron-builder copies it. */
export async function unpackVersion(folder: string, version: string): Promise<void> {
  await buildAll({ always: false });
  const dist = join(folder, 'dist');
  mkdirSync(dist, { recursive: true });
  await bundleElectron(join(dist, 'electron'), version);
  cpSync(join(repositoryRoot, 'dist', 'renderer'), join(dist, 'renderer'), { recursive: true });
  stageRuntime({ ...hostTarget(), into: join(folder, 'resources', 'runtime'), dist, version });
}

export interface Told {
  readonly status: number | null;
  readonly stdout: string;
  readonly stderr: string;
}

export const runPacked = (folder: string, dataFolder: string, args: readonly string[]): Told =>
  runProgram(join(folder, 'resources', 'runtime', 'bin', 'ebb'), dataFolder, args);

/** With nothing of ours in its environment but the data folder. */
export function runProgram(program: string, dataFolder: string, args: readonly string[]): Told {
  const { HOME = '', XDG_CACHE_HOME } = process.env;
  const env = {
    PATH,
    HOME,
    EBB_DATA: dataFolder,
    ...(XDG_CACHE_HOME === undefined ? {} : { XDG_CACHE_HOME }),
  };
  const { status, stdout, stderr } = spawnSync(program, args, {
    env,
    cwd: '/',
    encoding: 'utf8',
  });
  return { status, stdout, stderr };
}

export const programOf = (pid: number): string => readlinkSync(`/proc/${pid}/exe`);
