// Scripts for libnbd's own Python module, and the disks they are run on: one in memory, and one of ours with a history.
import { execFile, spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { openVmFolder } from '../../electron/storage/disk/open-folder.ts';
import { exactSize } from '../../electron/storage/vhd/geometry.ts';
import type { Volume } from '../../electron/storage/volume.ts';
import type { DiskId, PointId, VmId } from '../../shared/ids.ts';
import type { Moment } from '../../shared/timeline.ts';
import { MemoryVolume } from './memory-volume.ts';
import { randomBytes } from './seeded.ts';

const run = promisify(execFile);
const MIB = 1 << 20;
const vmId = '00000000-0000-4000-8000-000000000001' as VmId;
const diskId = '00000000-0000-4000-8000-000000000002' as DiskId;

/** Of each of them. */
export const LIBNBD_DISK_BYTES = exactSize(64 * MIB);
/** The module is Debian's, so the interpreter is too. */
const PYTHON = '/usr/bin/python3';
export const isLibnbdThere = spawnSync(PYTHON, ['-c', 'import nbd']).status === 0;
if (!isLibnbdThere) console.log('SKIPPED: python3-libnbd is not installed; run npm test, which installs it');

/** `h` asks whatever it is told to; `tried("what", call)` prints "what: OK", or the errno it was refused with. */
const PROLOGUE = `
import errno, nbd, os, sys
h = nbd.NBD()
h.set_strict_mode(0)
def tried(what, call):
    try:
        call()
    except nbd.Error as e:
        print(what + ": " + str(e.errno))
    else:
        print(what + ": OK")
`;

/** What a script printed, as `name: value` lines. A script that fails, fails. */
export async function libnbd(script: string, ...args: readonly string[]): Promise<Record<string, string>> {
  const { stdout } = await run(PYTHON, ['-c', PROLOGUE + script, ...args]);
  const rows = stdout.trim() === '' ? [] : stdout.trim().split('\n');
  return Object.fromEntries(
    rows.map(row => [row.slice(0, row.lastIndexOf(': ')), row.slice(row.lastIndexOf(': ') + 2)]),
  );
}

export interface LibnbdDisk extends AsyncDisposable {
  /** Its first sector holds sevens. */
  readonly now: Volume;
  readonly point: Volume;
}

function inMemory(): Promise<LibnbdDisk> {
  const [now, point] = [new MemoryVolume(LIBNBD_DISK_BYTES), new MemoryVolume(LIBNBD_DISK_BYTES, true)];
  for (const { bytes } of [now, point]) bytes.fill(7, 0, 512);
  return Promise.resolve({ now, point, [Symbol.asyncDispose]: () => Promise.resolve() });
}

/** Three points and a branch, which is being settled meanwhile; the point is the oldest. */
async function withHistory(): Promise<LibnbdDisk> {
  const folder = mkdtempSync(join(tmpdir(), 'ebb-libnbd-'));
  const turn = (): Promise<void> => new Promise(resolve => setImmediate(resolve));
  const engine = await openVmFolder(vmId, folder, { turn });
  await engine.createDisk(diskId, LIBNBD_DISK_BYTES);
  const now = engine.volume(diskId);
  const taken: Moment[] = [];
  for (let index = 0; index < 3; index++) {
    now.write(randomBytes(3 * MIB, 1 + index), index * 2 * MIB);
    now.write(Buffer.alloc(512, 7), 0);
    taken.push(await engine.takeMoment({ name: `p${index}`, note: '', kind: 'manual' }));
  }
  await engine.goBack({ momentId: taken[1]?.id as Moment['id'], keepName: 'kept' });
  now.write(randomBytes(MIB, 9), 9 * MIB);
  return {
    now,
    point: engine.pointReader(taken[0]?.points[0]?.pointId as PointId),
    [Symbol.asyncDispose]: async () => {
      await engine.close();
      rmSync(folder, { recursive: true, force: true });
    },
  };
}

export const LIBNBD_DISKS = [
  ['a disk in memory', inMemory],
  ['a disk with a history', withHistory],
] as const;
