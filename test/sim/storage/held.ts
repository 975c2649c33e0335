// Readers that look up where a point is and read it much later (T3), while edges are turned and points merged
// away.
import type { HeldRead } from '../../../electron/storage/disk/readers.ts';
import type { DiskId, MomentId } from '../../../shared/ids.ts';
import type { Seeded } from '../../support/seeded.ts';
import { SECTOR } from './inode.ts';
import { type Judge, Violation } from './judge.ts';
import { difference, tagsOf } from './model.ts';

interface Held {
  readonly read: HeldRead;
  readonly momentId: MomentId;
  readonly diskId: DiskId;
}
const HELD_MAX = 3;

export class HeldReads {
  readonly #judge: Judge;
  #held: Held[] = [];

  constructor(judge: Judge) {
    this.#judge = judge;
  }

  /** Begins a held read, or ends the oldest one by reading the places it looked up. */
  some(random: Seeded): void {
    const [oldest] = this.#held;
    if (oldest !== undefined && (this.#held.length === HELD_MAX || random.below(2) === 0)) {
      this.#held.shift();
      this.#end(oldest);
      return;
    }
    const { live, moments } = this.#judge;
    const known = live.timeline().moments.filter(({ id }) => moments.has(id));
    if (known.length === 0) return;
    const moment = random.pick(known);
    const { pointId, diskId } = random.pick(moment.points);
    this.#held.push({ read: live.inspect.hold(pointId), momentId: moment.id, diskId });
  }

  endAll(): void {
    for (const held of this.#held.splice(0)) this.#end(held);
  }

  /** Held reads died with the engine. */
  drop(): void {
    this.#held = [];
  }

  #end({ read, momentId, diskId }: Held): void {
    const { moments, control } = this.#judge;
    const content = moments.get(momentId)?.get(diskId);
    const bytes = new Uint8Array((content?.length ?? 0) * SECTOR);
    read.read(bytes);
    read.end();
    // vm-service.ts purges no point that is being read; here somebody does, so its content no longer matters.
    if (content === undefined || (control?.kind === 'delete' && control.momentId === momentId)) return;
    const wrong = difference(tagsOf(bytes), content);
    if (wrong !== null) throw new Violation(`a read of ${momentId} begun earlier: ${wrong}`);
  }
}
