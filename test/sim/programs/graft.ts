// An update made elsewhere: it is written onto a point, then becomes a point of its own, or is given up.
import type { VmEngine } from '../../../electron/storage/disk/engine.ts';
import type { MomentId } from '../../../shared/ids.ts';
import { Fault } from '../../../shared/result.ts';
import { SECTOR } from '../storage/inode.ts';
import { Violation } from '../storage/judge.ts';
import { fill } from '../storage/model.ts';
import type { Content, Oracle } from './oracle.ts';

export interface Graft {
  /** What the point will hold. */
  readonly content: Content;
  readonly work: () => Promise<void>;
}

export function graftOnto(
  engine: VmEngine,
  oracle: Oracle,
  momentId: MomentId,
  { at, sectors, isGivenUp }: { readonly at: number; readonly sectors: number; readonly isGivenUp: boolean },
): Graft {
  const points = engine.timeline().moments.find(({ id }) => id === momentId)?.points ?? [];
  const point = points[at % points.length];
  const content = new Map([...oracle.of(momentId).content].map(([id, bytes]) => [id, Buffer.from(bytes)]));
  const whole = point === undefined ? undefined : content.get(point.diskId);
  if (point === undefined || whole === undefined) throw new Violation(`point ${momentId} has no disk`);
  const first = at % (whole.length / SECTOR);
  const count = Math.min(sectors, whole.length / SECTOR - first);
  const bytes = whole.subarray(first * SECTOR, (first + count) * SECTOR);
  fill(bytes, oracle.newTags(count));
  const { grafts } = engine;
  return {
    content,
    work: async () => {
      const { id, volume } = await grafts.begin(point.pointId);
      try {
        volume.write(Buffer.from(bytes), first * SECTOR);
        await volume.flush();
        if (!isGivenUp) await grafts.commit(id, { name: 'grafted', note: '', origin: 'x' });
      } catch (cause) {
        if (cause instanceof Fault) await grafts.discard(id);
        throw cause;
      }
      if (isGivenUp) await grafts.discard(id);
    },
  };
}
