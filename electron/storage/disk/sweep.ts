// T8: files nobody needs go. The rows of what is to be unlinked outlive its points, so that no opener misses a file.
import type { DiskId } from '../../../shared/ids.ts';
import type { Disk } from './disk.ts';
import { fileName, partFileName } from './disk-files.ts';
import { noDisk } from './engine-faults.ts';
import { type Change, drop, put } from './state.ts';
import type { SwitchOffs } from './switch-offs.ts';
import type { Tree } from './tree.ts';

/** `stale`: rows that say nothing any more. Faults disk.full, disk.io: what is left is swept by the next. */
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
