// T8: unlinks files nobody needs. A file's row in the unlink list outlives its point's row, so that no opener
// misses the file.
import type { DiskId } from '../../../shared/ids.ts';
import type { Disk } from './disk.ts';
import { fileName, partFileName } from './disk-files.ts';
import { noDisk } from './engine-faults.ts';
import { type Change, drop, put } from './state.ts';
import type { SwitchOffs } from './switch-offs.ts';
import type { Tree } from './tree.ts';

/** `stale`: changes that drop useless rows. After a fault (disk.full, disk.io) the next sweep goes on. */
export async function sweep(
  tree: Tree,
  disks: ReadonlyMap<DiskId, Disk>,
  stale: readonly Change[],
  off: SwitchOffs,
): Promise<void> {
  if (stale.length > 0) tree.commit(stale);
  const loose = tree.loose();
  if (loose.length > 0)
    tree.commit(loose.flatMap(({ id, diskId }) => [drop('point', id), put('unlink', { id, diskId })]));
  for (const { id, diskId } of tree.unlinks) {
    const files = disks.get(diskId)?.files;
    if (files === undefined) throw noDisk(diskId);
    files.dropView(id);
    files.dropImage(fileName(id));
    await files.folder.unlink(fileName(id));
    if (files.folder.exists(partFileName(id))) await files.folder.unlink(partFileName(id));
    if (off.unlinkSync !== true) await files.folder.sync();
    tree.commit([drop('unlink', id)]);
  }
}
