// What reads must give: one buffer per disk and point; per disk one for Now, and what a power cut may leave
// of it.
import type { DiskId, MomentId } from '../../../shared/ids.ts';
import { SECTOR } from '../storage/inode.ts';
import { Violation } from '../storage/judge.ts';
import { DiskModel, fill, tagsOf } from '../storage/model.ts';

export type Content = ReadonlyMap<DiskId, Buffer>;

/** The disks when a take or a going back was called, and what each of their sectors may read as later. */
export interface Snapshot {
  readonly content: Content;
  readonly torn: ReadonlyMap<DiskId, Map<number, ReadonlySet<number>>>;
  readonly open: ReadonlyMap<DiskId, readonly number[][]>;
}

export interface KnownMoment {
  readonly content: Content;
  name: string;
  isPinned: boolean;
  isTrashed: boolean;
}

/** Now of one disk. */
export class NowOracle {
  bytes: Buffer;
  readonly model: DiskModel;

  constructor(sizeBytes: number) {
    this.bytes = Buffer.alloc(sizeBytes);
    this.model = new DiskModel(tagsOf(this.bytes));
  }

  get sectors(): number {
    return this.bytes.length / SECTOR;
  }

  write(first: number, tags: readonly number[], order: number): void {
    for (const [index, tag] of tags.entries()) this.model.write(first + index, tag, order);
    this.#show(first, tags);
  }

  /** Notes a write that was never acknowledged and cannot be looked at: each sector is old or new. */
  mayWrite(first: number, tags: readonly number[], order: number): void {
    for (const [index, tag] of tags.entries()) this.model.mayWrite(first + index, tag, order);
    this.#show(first, tags);
  }

  #show(first: number, tags: readonly number[]): void {
    fill(this.bytes.subarray(first * SECTOR, (first + tags.length) * SECTOR), tags);
  }

  settleOn(found: Buffer, isDurable: boolean): void {
    this.model.settleOn(tagsOf(found), isDurable);
    this.bytes = Buffer.from(found);
  }

  /** The new sectors are zeros. */
  grow(bytes: number): void {
    this.bytes = Buffer.concat([this.bytes, Buffer.alloc(bytes - this.bytes.length)]);
    this.model.grow(this.sectors);
  }

  /** What is wrong with a reading of the living disk, as a sentence; null: nothing. */
  wrong(found: Buffer): string | null {
    return found.equals(this.bytes) ? null : this.model.strayWhileLiving(tagsOf(found));
  }

  wrongAfterPowerCut(found: Buffer): string | null {
    return this.model.strayAfterPowerCut(tagsOf(found));
  }
}

export class Oracle {
  readonly now = new Map<DiskId, NowOracle>();
  readonly moments = new Map<MomentId, KnownMoment>();
  order = 0;
  #tag = 0;

  get disks(): DiskId[] {
    return [...this.now.keys()];
  }

  disk(diskId: DiskId): NowOracle {
    const found = this.now.get(diskId);
    if (found === undefined) throw new Violation(`no oracle of ${diskId}`);
    return found;
  }

  newTags(count: number): number[] {
    return Array.from({ length: count }, () => ++this.#tag);
  }

  of(momentId: MomentId): KnownMoment {
    const found = this.moments.get(momentId);
    if (found === undefined) throw new Violation(`no oracle of point ${momentId}`);
    return found;
  }

  those(isTrashed: boolean): MomentId[] {
    return [...this.moments].filter(([, moment]) => moment.isTrashed === isTrashed).map(([id]) => id);
  }

  snapshot(): Snapshot {
    const each = <T>(value: (now: NowOracle) => T): Map<DiskId, T> =>
      new Map([...this.now].map(([id, now]) => [id, value(now)]));
    return {
      content: each(now => Buffer.from(now.bytes)),
      torn: each(now => new Map(now.model.uncertain())),
      open: each(now => now.model.allAllowed()),
    };
  }

  contentNow(): Content {
    return new Map([...this.now].map(([id, now]) => [id, now.bytes]));
  }

  /** A close was acknowledged, so everything is durable. */
  flushedAll(): void {
    for (const now of this.now.values()) now.model.flushed(this.order);
  }
}

/** A snapshot in which nothing is uncertain. */
export const certain = (content: Content): Snapshot => ({ content, torn: new Map(), open: new Map() });

/** T6: notes a write that came while the point was taken: the point has it, or what was there before. */
export function takeIn(
  { torn, open }: Snapshot,
  diskId: DiskId,
  first: number,
  tags: readonly number[],
): void {
  for (const [index, tag] of tags.entries()) {
    const sector = first + index;
    const may = torn.get(diskId)?.get(sector) ?? new Set();
    torn.get(diskId)?.set(sector, new Set([...may, tag]));
    open.get(diskId)?.[sector]?.push(tag);
  }
}

/** Where a reading differs from what was expected, as a sentence; null where it does not. */
export function wrongContent(found: Buffer, expected: Buffer): string | null {
  if (found.equals(expected)) return null;
  if (found.length !== expected.length) return `it has ${found.length} bytes, expected ${expected.length}`;
  const [is, should] = [tagsOf(found), tagsOf(expected)];
  const sector = should.findIndex((tag, index) => tag !== is[index]);
  return `sector ${sector} is ${is[sector]}, expected ${should[sector]}`;
}

/** A point must hold the disks as they were when it was asked for, apart from what is uncertain. */
export function wrongSnapshot(
  found: Buffer,
  { content, torn, open }: Snapshot,
  diskId: DiskId,
  isLoose: boolean,
): string | null {
  const expected = content.get(diskId);
  if (expected === undefined) return 'it is of a disk nobody had';
  if (found.equals(expected)) return null;
  if (found.length !== expected.length) return `it has ${found.length} bytes, expected ${expected.length}`;
  const [is, should] = [tagsOf(found), tagsOf(expected)];
  const sector = should.findIndex((tag, index) => {
    const here = is[index] ?? Number.NaN;
    if (here === tag || torn.get(diskId)?.get(index)?.has(here) === true) return false;
    return !isLoose || open.get(diskId)?.[index]?.includes(here) !== true;
  });
  return sector < 0 ? null : `sector ${sector} is ${is[sector]}, expected ${should[sector]}`;
}
