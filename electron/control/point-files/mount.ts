// Shows a point, or a part of it, as a read-only file on this computer. QEMU's storage daemon reads the point
// from storage by NBD and shows it by FUSE, which needs no root. The daemon is told to end when control dies,
// and then unmounts the file itself.
import * as z from 'zod';
import { Fault } from '../../../shared/result.ts';
import type { Clock } from '../../platform/ports.ts';
import type { Detached, ProcessId, ToolOptions, ToolResult } from '../../platform/process.ts';
import type { SmallFiles } from '../../platform/small-files.ts';
import { escaped } from '../vm/escape.ts';
import { until } from '../vm/wait.ts';

/** Prefix of the folders in which points are shown. */
export const MOUNT = 'f-';
const DAEMON = 'qemu-storage-daemon';
const UP = { timeoutMs: 15_000, stepMs: 20 };
/** The first one needs no root. */
const UNMOUNTS = [
  ['fusermount3', ['-u', '-z']],
  ['fusermount', ['-u', '-z']],
  ['umount', ['-l']],
] as const;
const UNMOUNT_MS = 10_000;
const GONE = { timeoutMs: 5_000, stepMs: 20 };

export interface MountPorts extends Pick<SmallFiles, 'readText' | 'readJson' | 'writeJson'> {
  readonly clock: Clock;
  readonly program: (name: string) => string | null;
  /** The process ends when control ends, by SIGTERM. */
  readonly spawnTied: (command: string, args: readonly string[], logPath: string) => Promise<Detached>;
  readonly isAlive: (id: ProcessId) => boolean;
  readonly end: (id: ProcessId, signal: 'SIGTERM' | 'SIGKILL') => void;
  /** A new private folder; its name begins with MOUNT. */
  readonly newFolder: () => string;
  /** Throws where something is mounted in it. */
  readonly removeTree: (path: string) => void;
  readonly listFolder: (path: string) => readonly string[];
  readonly runTool: (command: string, args: readonly string[], options: ToolOptions) => Promise<ToolResult>;
  readonly log: (line: string) => void;
  readonly writeBytes: (path: string, bytes: Uint8Array) => void;
}

export interface Served {
  readonly socketPath: string;
  readonly exportName: string;
}

/** Faults: host.unsupported. */
export async function whileMounted<T>(
  { socketPath, exportName }: Served,
  part: { readonly offset: number; readonly bytes: number } | null,
  ports: MountPorts,
  use: (path: string) => Promise<T>,
): Promise<T> {
  const daemon = ports.program(DAEMON);
  if (daemon === null) throw missing(`${DAEMON}, a part of QEMU,`, 'sudo apt-get install qemu-system-common');
  const folder = ports.newFolder();
  const [path, pidFile, log] = [`${folder}/disk`, `${folder}/pid`, `${folder}/log`];
  ports.writeBytes(path, new Uint8Array());
  const disk = `driver=nbd,node-name=disk,read-only=on,export=${exportName}`;
  const args = ['--blockdev', `${disk},server.type=unix,server.path=${escaped(socketPath)}`];
  const slice = part === null ? '' : `,offset=${part.offset},size=${part.bytes}`;
  args.push('--blockdev', `driver=raw,node-name=part,file=disk,read-only=on${slice}`);
  args.push('--export', `type=fuse,id=file,node-name=part,mountpoint=${escaped(path)},writable=off`);
  args.push('--pidfile', pidFile);
  try {
    const { id } = await ports.spawnTied(daemon, args, log);
    try {
      ports.writeJson(notePath(folder), id);
      // The daemon writes its pid when the file is there.
      const isUp = await until(ports.clock, UP, () => {
        if (ports.readText(pidFile).trim() !== '') return 'up';
        return ports.isAlive(id) ? null : 'ended';
      });
      if (isUp !== 'up') throw notMounted(ports.readText(log).trim().slice(-400));
      return await use(path);
    } finally {
      await end(id, ports);
    }
  } finally {
    await clear(folder, ports);
  }
}

const notePath = (folder: string): string => `${folder}/process.json`;
const processSchema = z.object({ pid: z.int(), started: z.string() });

/** Clears away what a dead control left: a daemon that lives, a mount of a killed daemon, a folder. */
export async function sweepMounts(runFolder: string, ports: MountPorts): Promise<void> {
  for (const name of ports.listFolder(runFolder).filter(one => one.startsWith(MOUNT))) {
    const folder = `${runFolder}/${name}`;
    const noted = processSchema.safeParse(ports.readJson(notePath(folder)));
    if (noted.success) await end(noted.data, ports);
    await clear(folder, ports);
    ports.log(`left over from the last time, removed: ${folder}`);
  }
}

async function end(id: ProcessId, ports: MountPorts): Promise<void> {
  ports.end(id, 'SIGTERM');
  const isGone = async (): Promise<true | null> =>
    until(ports.clock, GONE, () => (ports.isAlive(id) ? null : true));
  if ((await isGone()) !== null) return;
  ports.end(id, 'SIGKILL');
  await isGone();
}

/** A daemon that was killed leaves its mount behind: it must be unmounted before the folder can go. */
async function clear(folder: string, ports: MountPorts): Promise<void> {
  try {
    return ports.removeTree(folder);
  } catch {
    const path = `${folder}/disk`;
    for (const [name, args] of UNMOUNTS) {
      const tool = ports.program(name);
      if (tool === null) continue;
      const { code } = await ports.runTool(tool, [...args, path], { timeoutMs: UNMOUNT_MS });
      if (code === 0) break;
    }
  }
  try {
    ports.removeTree(folder);
  } catch (cause) {
    ports.log(`${folder} could not be removed: ${String(cause)}`);
  }
}

export const missing = (what: string, fix: string): Fault =>
  new Fault({
    code: 'host.unsupported',
    what: `${what} is not on this computer's PATH: files inside a point cannot be listed here.`,
    safe: 'The point is as it was.',
    todo: `Install it: ${fix}. Or look at the point with Peek, or export it.`,
  });

const notMounted = (said: string): Fault =>
  new Fault({
    code: 'host.unsupported',
    what: `This computer does not let a point be shown as a file (FUSE). ${said}`.trim(),
    safe: 'The point is as it was.',
    todo: 'Install FUSE: sudo apt-get install fuse3. Or look at the point with Peek, or export it.',
  });
