// Opens a VM folder on a real filesystem as an engine: lock, database, disk folders.
//   <folder>/.lock  <folder>/timeline.db  <folder>/timeline.json  <folder>/rescue.py  <folder>/disks/<diskId>/<uuid>.vhd
import { join } from 'node:path';
import type { VmId } from '../../../shared/ids.ts';
import { Fault } from '../../../shared/result.ts';
import { bootId } from '../../platform/boot-id.ts';
import { systemClock } from '../../platform/clock.ts';
import { openFolder } from '../../platform/folder.ts';
import { readText, writeHint, writeTextHint } from '../../platform/json-file.ts';
import { takeLock } from '../../platform/lock.ts';
import { systemRandom } from '../../platform/random.ts';
import { Throttle } from '../throttle.ts';
import { VmEngine } from './engine.ts';
import type { EngineOptions } from './engine-types.ts';
import { MIRROR_NAME } from './mirror.ts';
import { isImageName } from './rebuild.ts';
import { RESCUE_SCRIPT, RESCUE_SCRIPT_NAME } from './rescue-script.ts';
import { openTimelineStore } from './sqlite-store.ts';

export interface OpenFolderPorts {
  readonly turn: () => Promise<void>;
}

export const DATABASE_NAME = 'timeline.db';
/** How long after a transaction the mirror follows; it is read after a disaster only. */
const MIRROR_MS = 5000;

/** Throws Fault disk.owned-elsewhere, timeline.missing, vhd.corrupt, vhd.parent-missing, disk.io. */
export async function openVmFolder(
  vmId: VmId,
  path: string,
  ports: OpenFolderPorts,
  options: EngineOptions = {},
): Promise<VmEngine> {
  const folder = openFolder(path);
  const lock = takeLock(join(path, '.lock'));
  if (!lock.ok) throw lockedElsewhere(path, lock.owner.pid);
  try {
    if (!folder.exists(DATABASE_NAME)) refuseLostTimeline(path);
    const store = openTimelineStore(join(path, DATABASE_NAME));
    const diskFolder = (diskId: string) => openFolder(join(path, 'disks', diskId));
    const engine = await VmEngine.open(
      vmId,
      { diskFolder, store, clock: systemClock, random: systemRandom, bootId: bootId(), turn: ports.turn },
      options,
    );
    leaveScript(path);
    const stopMirroring = keepMirror(path, engine);
    engine.onRelease(async () => {
      await stopMirroring();
      lock.release();
    });
    return engine;
  } catch (cause) {
    lock.release();
    throw cause;
  }
}

/** A new database over old images would know none of them. */
function refuseLostTimeline(path: string): void {
  const disks = openFolder(join(path, 'disks'));
  const isOld = disks.list().some(name =>
    openFolder(join(path, 'disks', name))
      .list()
      .some(isImageName),
  );
  if (!isOld) return;
  throw new Fault({
    code: 'timeline.missing',
    what: `${join(path, DATABASE_NAME)} is gone; the disk images beside it are there.`,
    safe: 'Nothing was changed; every image is as it was.',
    todo: 'Put the file back, or have it made anew from the images: ebb vm rescue VM',
    data: { folder: path },
  });
}

/** The script is for the day there is no Ebb to ask. */
function leaveScript(path: string): void {
  const script = join(path, RESCUE_SCRIPT_NAME);
  if (readText(script) !== RESCUE_SCRIPT) void writeTextHint(script, RESCUE_SCRIPT);
}

/**
 * timeline.json follows the database (mirror.ts). It is only a help: failing to write it fails nothing else.
 */
function keepMirror(path: string, engine: VmEngine): () => Promise<void> {
  let written = -1;
  let writing = Promise.resolve();
  const write = (): void => {
    const { revision, mirror } = engine.mirror();
    if (revision === written) return;
    written = revision;
    writing = writing.then(() => writeHint(join(path, MIRROR_NAME), mirror));
  };
  const throttle = new Throttle(systemClock, MIRROR_MS, write);
  const stop = engine.onChange(() => throttle.request());
  throttle.request();
  return () => {
    stop();
    throttle.cancel();
    write();
    return writing;
  };
}

export const lockedElsewhere = (folder: string, pid: number): Fault =>
  new Fault({
    code: 'disk.owned-elsewhere',
    what: `The disks in ${folder} are in use by process ${pid}.`,
    safe: 'They were not touched.',
    todo: 'End that process, or use the Ebb that runs them.',
    data: { pid, folder },
  });
