// The one writable image of a disk. T10: new bitmap bits and BAT entries stay in memory until flush: data →
// sync → bitmap + BAT → sync → acknowledge. T11: the run file notes new bits before their write is
// acknowledged.
import type { Folder } from '../../platform/ports.ts';
import { BAT_UNUSED } from './bat.ts';
import { putAway } from './disk-files.ts';
import type { Image } from './image.ts';
import { poisoned } from './image-head.ts';
import { writePage } from './page.ts';
import { RunFile, type RunRecord, runFileNames } from './run-file.ts';
import type { SwitchOffs } from './switch-offs.ts';

interface Captured {
  readonly blocks: Map<number, { readonly entry: number; readonly units: Uint8Array }>;
  readonly run: 0 | 1 | null;
}

export class Leaf {
  readonly image: Image;
  readonly #folder: Folder;
  readonly #run: RunFile | null;
  readonly #off: SwitchOffs;
  /** Blocks whose bitmap or BAT entry on disk is behind memory. */
  readonly #dirty = new Set<number>();
  /** BAT as the last flush wrote it: an entry reaches the disk only after its data (T10). */
  readonly #durableBat: Uint32Array;
  /** True at first: an earlier process of this boot may have written in place, noted in no run file (T11). */
  #hasUnsyncedData = true;
  #isSealed = false;
  #flushing: Promise<void> | null = null;
  #queued: Promise<void> | null = null;

  /** `bootId` null: the leaf is no loss if storage dies before it is sealed, so nothing is noted for T11. */
  constructor(image: Image, folder: Folder, bootId: string | null, off: SwitchOffs) {
    this.image = image;
    this.#folder = folder;
    this.#off = off;
    // A going back that did not come to its transaction may have sealed this leaf.
    image.markLeaf(true);
    this.#durableBat = image.bat.slice();
    this.#run =
      bootId === null || off.runFile === true
        ? null
        : RunFile.open(folder, image.uuid, bootId, record => this.#replay(record));
  }

  #replay(record: RunRecord): void {
    const { image } = this;
    const last = record.firstUnit + record.units;
    if (record.block >= image.blockCount || last > image.unitsPerBlock) return;
    if (image.bat[record.block] !== record.entry) image.place(record.block, record.entry);
    image.units(record.block).fill(0xff, record.firstUnit, last);
    this.#mark(record.block);
  }

  #mark(block: number): void {
    this.#dirty.add(block);
    this.image.bitmaps.pinned.add(block);
  }

  get isEmpty(): boolean {
    return this.image.allocatedBlocks().length === 0;
  }

  /** Whole units only: the caller merges partial ones. `source` null: zeros. True: there are new units. */
  writeUnits(
    block: number,
    firstUnit: number,
    units: number,
    unitBytes: number,
    source: Uint8Array | null,
  ): boolean {
    const { image } = this;
    // T4: it is a point's file by now, or nobody knows whether it is.
    if (this.#isSealed) throw poisoned(`${image.file.name} is sealed`);
    // T5: after a going back that came to nothing, a full host may have had no room to mark it as a leaf
    // again.
    image.markLeaf(true);
    if (!image.has(block)) {
      this.#writeFresh(block, firstUnit, units, unitBytes, source);
      return true;
    }
    // Set before the write: one that fails may have happened in part.
    this.#hasUnsyncedData = true;
    image.writeData(block, firstUnit * unitBytes, source ?? new Uint8Array(units * unitBytes));
    const here = image.units(block);
    if (!here.subarray(firstUnit, firstUnit + units).includes(0)) return false;
    this.#run?.append({ block, entry: image.bat[block] ?? BAT_UNUSED, firstUnit, units });
    here.fill(0xff, firstUnit, firstUnit + units);
    this.#mark(block);
    return true;
  }

  /** All or nothing: where the host disk is full (T14) the slot is given back and the block is as it was. */
  #writeFresh(
    block: number,
    firstUnit: number,
    units: number,
    unitBytes: number,
    source: Uint8Array | null,
  ): void {
    const { image } = this;
    const { end } = image;
    const entry = image.reserve();
    try {
      // A fresh slot is past everything ever written: it reads as zeros already.
      if (source !== null) image.fillSlot(entry, firstUnit * unitBytes, source);
      this.#run?.append({ block, entry, firstUnit, units });
    } catch (cause) {
      image.release(end);
      throw cause;
    }
    this.#hasUnsyncedData = true;
    image.place(block, entry);
    image.units(block).fill(0xff, firstUnit, firstUnit + units);
    this.#mark(block);
  }

  /**
   * Everything written before the call is durable when it resolves. Calls during a flush share the next one.
   */
  flush(): Promise<void> {
    if (this.#queued !== null) return this.#queued;
    if (this.#flushing === null) return this.#start();
    this.#queued = this.#flushing.then(
      () => this.#start(),
      () => this.#start(),
    );
    return this.#queued;
  }

  #start(): Promise<void> {
    this.#queued = null;
    const flushing = this.#flushOnce().finally(() => {
      if (this.#flushing === flushing) this.#flushing = null;
    });
    this.#flushing = flushing;
    return flushing;
  }

  async #flushOnce(): Promise<void> {
    if (!this.#hasUnsyncedData && this.#dirty.size === 0) return;
    const captured = this.#capture();
    try {
      await this.#persist(captured);
    } catch (cause) {
      for (const block of captured.blocks.keys()) this.#mark(block);
      this.#hasUnsyncedData = true;
      throw cause;
    }
  }

  /** Only bits whose data was written before the first sync may reach the disk with this flush (T10). */
  #capture(): Captured {
    const blocks = new Map<number, { entry: number; units: Uint8Array }>();
    for (const block of this.#dirty) {
      blocks.set(block, {
        entry: this.image.bat[block] ?? BAT_UNUSED,
        units: this.image.units(block).slice(),
      });
    }
    this.#dirty.clear();
    this.#hasUnsyncedData = false;
    return { blocks, run: this.#run?.turn() ?? null };
  }

  async #persist({ blocks, run }: Captured): Promise<void> {
    const { image } = this;
    // A dynamic image's allocated blocks are whole: their bitmap must be there before the BAT entry is.
    if (!image.isDifferencing)
      for (const [block, { entry, units }] of blocks) writePage(image, block, entry, { units, sums: null });
    if (this.#off.leafDataSync !== true) await image.sync();
    if (blocks.size > 0) {
      for (const [block, { entry, units }] of blocks) {
        if (image.isDifferencing) writePage(image, block, entry, { units, sums: null });
        this.#durableBat[block] = entry;
      }
      image.writeBat(blocks.keys(), this.#durableBat);
      if (this.#off.leafMapSync !== true) await image.sync();
    }
    if (run !== null) this.#run?.clear(run);
    for (const block of blocks.keys()) if (!this.#dirty.has(block)) image.bitmaps.pinned.delete(block);
  }

  /** Freezes the leaf: nobody may write to it any more (T6), and its footer says so (T5). */
  async seal(): Promise<void> {
    await this.flush();
    this.image.markLeaf(false);
    this.#isSealed = true;
    await this.quiesce();
  }

  /** T5: makes it a leaf again, durably: a power cut must not leave the discarded leaf as the only one. */
  async unseal(): Promise<void> {
    this.#isSealed = false;
    try {
      this.image.markLeaf(true);
      if (this.#off.rescueUnsealSync !== true) await this.image.sync();
    } catch {
      // The next write marks it, or the next opening.
    }
  }

  /** T12: flushes, and writes the end footer. */
  async quiesce(): Promise<void> {
    await this.flush();
    this.image.writeEndFooter();
    if (this.#off.quiesceSync !== true) await this.image.sync();
  }

  async dropRunFiles(): Promise<void> {
    this.#run?.close();
    await putAway(this.#folder, runFileNames(this.image.uuid));
  }

  closeRunFiles(): void {
    this.#run?.close();
  }
}
