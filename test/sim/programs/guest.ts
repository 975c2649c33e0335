// The guest of a program: it writes, discards and flushes, on the engine and in the oracle.
import type { Volume } from '../../../electron/storage/volume.ts';
import { SECTOR } from '../storage/inode.ts';
import { Violation } from '../storage/judge.ts';
import { tagsOf } from '../storage/model.ts';
import { type Machine, microtasks } from './machine.ts';
import type { Meanwhile, Operation } from './operations.ts';
import { type NowOracle, type Oracle, type Snapshot, takeIn } from './oracle.ts';

export class Guest {
  readonly #machine: Machine;
  readonly #oracle: Oracle;

  constructor(machine: Machine, oracle: Oracle) {
    this.#machine = machine;
    this.#oracle = oracle;
  }

  #range({ disk, at, sectors }: { disk: number; at: number; sectors: number }) {
    const diskId = this.#machine.disk(disk);
    const now = this.#oracle.disk(diskId);
    const first = at % now.sectors;
    return { diskId, now, first, count: Math.min(sectors, now.sectors - first) };
  }

  write(operation: Extract<Operation, { readonly do: 'write' | 'zero' | 'trim' }>): void {
    const { diskId, now, first, count } = this.#range(operation);
    const volume = this.#machine.engine.volume(diskId);
    const [at, length] = [first * SECTOR, count * SECTOR];
    if (operation.do === 'trim') return this.#trim(volume, now, first, count);
    if (operation.do === 'zero')
      return this.#submit(volume, now, first, new Array<number>(count).fill(0), () =>
        volume.zero(at, length, true),
      );
    const tags = operation.isSame ? now.model.now.slice(first, first + count) : this.#oracle.newTags(count);
    const words = new Uint32Array((count * SECTOR) / 4);
    for (const [index, tag] of tags.entries())
      words.fill(tag, (index * SECTOR) / 4, ((index + 1) * SECTOR) / 4);
    this.#submit(volume, now, first, tags, () => volume.write(new Uint8Array(words.buffer), at));
  }

  #submit(volume: Volume, now: NowOracle, first: number, tags: readonly number[], work: () => void): void {
    const [machine, oracle] = [this.#machine, this.#oracle];
    const { struck } = machine.faults;
    oracle.order++;
    try {
      work();
    } catch (cause) {
      if (!machine.world.isDead) {
        machine.excuse(cause, struck);
        return this.#failed(volume, now, first, tags);
      }
    }
    // The machine may have died in the call: then nobody was told that the write was done.
    if (machine.world.isDead) now.mayWrite(first, tags, oracle.order);
    else now.write(first, tags, oracle.order);
  }

  /** A failed write may have happened in part: each sector is old or new, and stays what it is seen to be. */
  #failed(volume: Volume, now: NowOracle, first: number, tags: readonly number[]): void {
    const oracle = this.#oracle;
    const before = now.model.now.slice(first, first + tags.length);
    const may = before.map((_, index) => (tag: number) => now.model.mayBe(first + index, tag));
    const found = Buffer.alloc(tags.length * SECTOR);
    try {
      volume.read(found, first * SECTOR);
    } catch (cause) {
      this.#machine.excuse(cause, 0);
      return now.mayWrite(first, tags, oracle.order);
    }
    const seen = tagsOf(found);
    seen.forEach((tag, index) => {
      if (tag !== tags[index] && may[index]?.(tag) !== true)
        throw new Violation(`a failed write made sector ${first + index} ${tag}`);
    });
    now.write(first, tags, oracle.order);
    now.write(first, seen, ++oracle.order);
  }

  /** Whole units become zeros; the sectors at the ragged ends stay as they were. */
  #trim(volume: Volume, now: NowOracle, first: number, count: number): void {
    const [start, end] = [Math.ceil(first / 8) * 8, Math.floor((first + count) / 8) * 8];
    const whole = Math.max(0, end - start);
    this.#submit(volume, now, start, new Array<number>(whole).fill(0), () =>
      volume.trim(first * SECTOR, count * SECTOR),
    );
  }

  /** Writes while others pump. `taken`: the point being taken, which may have the write or not (T6). */
  async during<T>(work: Promise<T>, meanwhile: Meanwhile | undefined, taken?: Snapshot): Promise<T> {
    if (meanwhile === undefined) return work;
    const { world } = this.#machine;
    let isOver = false;
    const over = (): void => {
      isOver = true;
    };
    work.then(over, over);
    for (let rounds = 0; rounds <= meanwhile.after && !isOver && !world.isDead; rounds++) await microtasks();
    if (world.isDead) return work;
    this.write({ do: 'write', isSame: false, ...meanwhile });
    const { diskId, now, first, count } = this.#range(meanwhile);
    if (taken !== undefined) takeIn(taken, diskId, first, now.model.now.slice(first, first + count));
    return work;
  }

  async flush({ disk, meanwhile }: Extract<Operation, { readonly do: 'flush' }>): Promise<void> {
    const [machine, oracle] = [this.#machine, this.#oracle];
    const diskId = this.#machine.disk(disk);
    const [{ order }, { struck }] = [oracle, machine.faults];
    const outcome = await machine.pump(this.during(machine.engine.volume(diskId).flush(), meanwhile));
    if (outcome.is === 'done') oracle.disk(diskId).model.flushed(order);
    if (outcome.is === 'failed') machine.excuse(outcome.cause, struck);
  }
}
