// One unpacked package by electron-builder, and the runtime it is packed with: Electron's own, or where that cannot be
// fetched a stand-in that has fuses and nothing else.
import { chmodSync, mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { gzipSync } from 'node:zlib';
import { electronRuntime } from '../electron-runtime.ts';
import { repositoryRoot } from '../layers.ts';
import { runTool, toolPath } from '../scripts/process.ts';
import { standInExecutable } from './fuses.ts';
import { stageRuntime, type Target } from './stage.ts';

const stage = join(repositoryRoot, 'dist', 'stage');

export const hostTarget = (): Target => ({
  platform: process.platform as Target['platform'],
  arch: process.arch as Target['arch'],
});

function standInRuntime(): string {
  const folder = join(stage, 'stand-in-electron');
  rmSync(folder, { recursive: true, force: true });
  mkdirSync(join(folder, 'resources'), { recursive: true });
  writeFileSync(join(folder, 'electron'), standInExecutable());
  chmodSync(join(folder, 'electron'), 0o755);
  writeFileSync(join(folder, 'LICENSE'), 'A stand-in for the Electron runtime.\n');
  writeFileSync(join(folder, 'LICENSES.chromium.html'), '');
  writeFileSync(join(folder, 'version'), '');
  return folder;
}

export interface Packed {
  readonly status: number;
  /** Null where it was packed with Electron's own runtime. */
  readonly standInBecause: string | null;
  readonly folder: string;
}

/** Bundles must have been made. With a stand-in only an unpacked folder: nobody should install that. */
export async function pack(args: readonly string[], output = 'dist/packages'): Promise<Packed> {
  const target = hostTarget();
  const { executable, reason } = electronRuntime();
  stageRuntime({ ...target, into: join(stage, `${target.platform}-${target.arch}`) });
  const manual = join(stage, `${target.platform}-${target.arch}`, 'man', 'ebb.1');
  // Without a time in its head: two builds are the same bytes.
  writeFileSync(join(stage, 'ebb.1.gz'), gzipSync(readFileSync(manual)));
  const isStandIn = executable === '';
  const { status } = await runTool(toolPath('electron-builder'), [
    '--config',
    'build/electron-builder.json',
    `--${target.arch}`,
    `-c.electronDist=${isStandIn ? standInRuntime() : dirname(executable)}`,
    `-c.directories.output=${output}`,
    ...(isStandIn ? ['--dir'] : args),
  ]);
  const name = { linux: 'linux-unpacked', win32: 'win-unpacked', darwin: 'mac' }[target.platform];
  const folder = join(
    repositoryRoot,
    output,
    target.arch === 'arm64' ? `${name.replace('-', '-arm64-')}` : name,
  );
  return { status, standInBecause: isStandIn ? reason : null, folder };
}
