// T14: after a failed sync a guest that used the disk and lives on is served nothing. Once its machine is
// switched off, what the files hold is the disk's content.
import { IN_DOUBT } from '../../../electron/storage/disk/doubt.ts';
import type { VmEngine } from '../../../electron/storage/disk/engine.ts';
import type { DiskId } from '../../../shared/ids.ts';
import { Fault } from '../../../shared/result.ts';
import { SECTOR } from './inode.ts';
import { Violation } from './judge.ts';

async function mustRefuse(doing: string, work: () => unknown): Promise<void> {
  try {
    await work();
  } catch (cause) {
    if (cause instanceof Fault && cause.body.code === 'disk.poisoned') return;
    throw cause;
  }
  throw new Violation(`a guest that lives on was served by a disk in doubt: ${doing}`);
}

/** `found` is told each disk in doubt before it is trusted again. */
export async function endDoubts(engine: VmEngine, found: (diskId: DiskId) => void): Promise<void> {
  for (const { id, poisoned } of engine.timeline().disks) {
    if (poisoned !== IN_DOUBT) continue;
    const volume = engine.volume(id);
    await mustRefuse('a read', () => volume.read(new Uint8Array(SECTOR), 0));
    await mustRefuse('a write', () => volume.write(new Uint8Array(SECTOR), 0));
    await mustRefuse('a flush', () => volume.flush());
    found(id);
    engine.trust(id);
  }
}
