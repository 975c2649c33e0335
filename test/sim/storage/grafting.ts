// Somebody brings an update in (graft.ts): a new image on a point is filled piece by piece while everything
// else goes on; then it becomes a point, or is given up. Until it is a point, nobody may find anything of it.
import type { VmEngine } from '../../../electron/storage/disk/engine.ts';
import type { DiskId, MomentId, PointId } from '../../../shared/ids.ts';
import { Fault } from '../../../shared/result.ts';
import type { Seeded } from '../../support/seeded.ts';
import type { SimWorld } from './device.ts';
import { SECTOR } from './inode.ts';
import type { Content } from './judge.ts';
import { fill } from './model.ts';

export interface Grafting {
  readonly world: SimWorld;
  readonly live: VmEngine;
  readonly random: Seeded;
  readonly newTag: () => number;
  /** What the point will hold; every write to the image is noted here. */
  readonly content: Content;
}

/**
 * The moment the update became; null where it was given up. Faults: those of a host that is full or failing.
 */
export async function graft(
  { world, live, random, newTag, content }: Grafting,
  { diskId, pointId }: { readonly diskId: DiskId; readonly pointId: PointId },
): Promise<MomentId | null> {
  const { id, volume } = await live.grafts.begin(pointId);
  const tags = content.get(diskId) ?? [];
  try {
    for (let left = random.below(6); left > 0; left--) {
      await world.later('grafting', () => {
        const first = random.below(tags.length);
        const count = Math.min(1 + random.below(40), tags.length - first);
        const isZero = random.below(4) === 0;
        const written = Array.from({ length: count }, () => (isZero ? 0 : newTag()));
        const bytes = new Uint8Array(count * SECTOR);
        fill(bytes, written);
        if (isZero) volume.zero(first * SECTOR, bytes.length, true);
        else volume.write(bytes, first * SECTOR);
        written.forEach((tag, sector) => {
          tags[first + sector] = tag;
        });
      });
      if (random.below(3) === 0) await volume.flush();
    }
    if (random.below(5) > 0) return await live.grafts.commit(id, { name: 'grafted', note: '', origin: 'x' });
  } catch (cause) {
    if (cause instanceof Fault) await live.grafts.discard(id);
    throw cause;
  }
  await live.grafts.discard(id);
  return null;
}
