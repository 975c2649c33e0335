// A VM folder on a real filesystem becomes an engine: lock, database, disk folders.
//   <folder>/.lock  <folder>/timeline.db  <folder>/disks/<diskId>/<uuid>.vhd
import { join } from 'node:path';
import type { VmId } from '../../../shared/ids.ts';
import { Fault } from '../../../shared/result.ts';
import { bootId } from '../../platform/boot-id.ts';
import { systemClock } from '../../platform/clock.ts';
import { openFolder } from '../../platform/folder.ts';
import { takeLock } from '../../platform/lock.ts';
import { systemRandom } from '../../platform/random.ts';
import { type EngineOptions, VmEngine } from './engine.ts';
import { openTimelineStore } from './sqlite-store.ts';

export interface OpenFolderPorts {
  readonly turn: () => Promise<void>;
}

/** Throws Fault disk.owned-elsewhere, vhd.corrupt, vhd.parent-missing, disk.io. */
export async function openVmFolder(
  vmId: VmId,
  folder: string,
  ports: OpenFolderPorts,
  options: EngineOptions = {},
): Promise<VmEngine> {
  openFolder(folder);
  const lock = takeLock(join(folder, '.lock'));
  if (!lock.ok) {
    throw new Fault({
      code: 'disk.owned-elsewhere',
      what: `The disks in ${folder} are in use by process ${lock.owner.pid}.`,
      safe: 'They were not touched.',
      todo: 'End that process, or use the Ebb that runs them.',
      data: { pid: lock.owner.pid, folder },
    });
  }
  try {
    const store = openTimelineStore(join(folder, 'timeline.db'));
    const diskFolder = (diskId: string) => openFolder(join(folder, 'disks', diskId));
    const engine = await VmEngine.open(
      vmId,
      { diskFolder, store, clock: systemClock, random: systemRandom, bootId: bootId(), turn: ports.turn },
      options,
    );
    engine.onRelease(lock.release);
    return engine;
  } catch (cause) {
    lock.release();
    throw cause;
  }
}
