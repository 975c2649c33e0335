// Which sizes a disk may have: those all readers agree on (T12), up to what a VHD holds (T15), never smaller
// than it is. Pure.
import type { DiskId, PointId } from '../../../shared/ids.ts';
import { exactSize, VIRTUAL_BYTES_MAX } from '../vhd/geometry.ts';
import { tooLarge, wouldShrink } from './engine-faults.ts';
import type { DiskRow } from './state.ts';

/** Rounded up. Fault disk.too-large. */
function newSize(virtualBytes: number): number {
  if (virtualBytes <= 0 || virtualBytes > VIRTUAL_BYTES_MAX) throw tooLarge(virtualBytes);
  return exactSize(virtualBytes);
}

/** One dynamic leaf, no point yet. Fault disk.too-large. */
export const newDisk = (id: DiskId, bytes: number, blockBytes: number, leaf: PointId): DiskRow => ({
  id,
  virtualBytes: newSize(bytes),
  blockBytes,
  leaf,
  leafParent: null,
});

/** The size to grow a disk to, rounded up. Faults: disk.too-large, disk.would-shrink. */
export function grownSize(current: number, virtualBytes: number): number {
  if (virtualBytes < current) throw wouldShrink(current, virtualBytes);
  return newSize(virtualBytes);
}
