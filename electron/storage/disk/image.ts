// One VHD file: its headers, BAT and bitmaps, data by block. Knows nothing of chains, points or the order of
// durable writes, which its callers decide (leaf.ts, reversal.ts, merge.ts). A failed sync poisons it (T14).
//
//   0 footer copy │ 512 header │ 1536 BAT │ two locators │ … data blocks, data 4 KiB-aligned, bitmap in the
//   sector(s) before, checksums before that (sums.ts) │ footer
//   In a root that has grown (resize.ts) the BAT lies among the blocks, and nothing at 1536.
import { Fault } from '../../../shared/result.ts';
import { SECTOR_BYTES } from '../../../shared/units.ts';
import type { BlockFile } from '../../platform/ports.ts';
import { corrupt } from '../vhd/fields.ts';
import { FOOTER_BYTES } from '../vhd/footer.ts';
import { UNIT_BYTES } from '../vhd/geometry.ts';
import { encodeHeader, LOCATOR_SPACE, locatorBytes } from '../vhd/header.ts';
import { BAT_UNUSED, batSectors, readBat } from './bat.ts';
import { Bitmaps } from './bitmaps.ts';
import {
  alignUp,
  BAT_AT,
  blocksOf,
  endsWithFooter,
  footerOf,
  type ImageIdentity,
  poisoned,
  readHead,
  requireInReach,
  stillFull,
} from './image-head.ts';
import { sumsRoom } from './page.ts';
import { sumsBytes } from './sums.ts';

export class Image {
  readonly file: BlockFile;
  readonly blockBytes: number;
  readonly unitsPerBlock: number;
  /** On disk: one byte per 4 KiB unit, 0xff here, 0x00 not (T12), padded to whole sectors. */
  readonly bitmapBytes: number;
  readonly sumsBytes: number;
  uuid: string;
  parent: ImageIdentity['parent'];
  #virtualBytes: number;
  #bat: Uint32Array;
  #batOffset: number;
  /** As the header says: more entries than the disk has blocks where a crash cut a resize short. */
  #batEntries: number;
  /** When the point it stands for began as a leaf. */
  timestampMs: number;
  #isLeaf: boolean;
  readonly bitmaps = new Bitmaps();
  /** Where the end footer goes: after every block and everything a lost allocation may have left. */
  #end = 0;
  #poison: string | null = null;
  /** Writes of maps that are still to be repeated: nothing else is written before them. */
  #owed: (() => void)[] = [];

  private constructor(file: BlockFile, identity: ImageIdentity, batOffset: number) {
    this.file = file;
    this.uuid = identity.uuid;
    this.parent = identity.parent;
    this.#virtualBytes = identity.virtualBytes;
    this.blockBytes = identity.blockBytes;
    this.unitsPerBlock = identity.blockBytes / UNIT_BYTES;
    this.bitmapBytes = alignUp(this.unitsPerBlock, SECTOR_BYTES);
    this.sumsBytes = sumsBytes(this.unitsPerBlock);
    this.#bat = new Uint32Array(blocksOf(identity)).fill(BAT_UNUSED);
    this.#batOffset = batOffset;
    this.#batEntries = this.#bat.length;
    this.timestampMs = identity.timestampMs;
    this.#isLeaf = identity.isLeaf;
  }

  /** Writes the metadata of an empty image; durable after sync() and the folder's sync. */
  static create(file: BlockFile, identity: ImageIdentity): Image {
    const image = new Image(file, identity, BAT_AT);
    const batBytes = alignUp(image.blockCount * 4, SECTOR_BYTES);
    file.write(new Uint8Array(batBytes).fill(0xff), BAT_AT);
    image.writeHeaders();
    image.#end = BAT_AT + batBytes + 2 * LOCATOR_SPACE;
    image.writeEndFooter();
    return image;
  }

  /** Opens and checks; throws vhd.corrupt, vhd.unsupported or disk.io. `uuid` is the one that the name promises (T1). */
  static open(file: BlockFile, uuid: string | null): Image {
    const head = readHead(file, uuid);
    const image = new Image(file, head.identity, head.batOffset);
    image.#batEntries = head.batEntries;
    image.#loadBat(file.sizeBytes());
    return image;
  }

  #loadBat(fileBytes: number): void {
    const { bitmapBytes, blockBytes } = this;
    const [batStart, batEnd] = [this.#batOffset, this.#batOffset + this.blockCount * 4];
    const places = { batStart, batEnd, fileBytes, pitchBytes: bitmapBytes + blockBytes, bitmapBytes };
    const end = readBat(this.file, this.#bat, places);
    const blocksEnd = Math.max(end, alignUp(batEnd, SECTOR_BYTES) + 2 * LOCATOR_SPACE);
    // Past everything a lost allocation may have left behind: a fresh slot must read as zeros (T10).
    const tail = endsWithFooter(this.file) ? fileBytes - FOOTER_BYTES : alignUp(fileBytes, SECTOR_BYTES);
    this.#end = Math.max(blocksEnd, tail);
  }

  get virtualBytes(): number {
    return this.#virtualBytes;
  }

  get blockCount(): number {
    return this.#bat.length;
  }

  /** Absolute sector of each block's bitmap, as readers see it now. */
  get bat(): Uint32Array {
    return this.#bat;
  }

  /** Its BAT has exactly one entry per block (T12); not so after a resize that was cut short. */
  get isExact(): boolean {
    return this.#batEntries === this.blockCount;
  }

  get isDifferencing(): boolean {
    return this.parent !== null;
  }

  get poison(): string | null {
    return this.#poison;
  }

  has(block: number): boolean {
    return block < this.#bat.length && this.#bat[block] !== BAT_UNUSED;
  }

  /**
   * Which units of an allocated block are here. The array is the image's own: leaf.ts sets bits in it. In a dynamic
   * image the block's all-ones bitmap precedes its BAT entry, so an allocated block is whole.
   */
  units(block: number): Uint8Array {
    const known = this.bitmaps.get(block);
    if (known !== undefined) return known;
    const loaded = new Uint8Array(this.unitsPerBlock);
    if (this.isDifferencing) {
      this.file.read(loaded, this.dataOffset(block) - this.bitmapBytes);
      const odd = loaded.findIndex(byte => byte !== 0 && byte !== 0xff);
      if (odd >= 0)
        throw corrupt(this.file.name, `bitmap of block ${block}, byte ${odd}`, loaded[odd] ?? 0, '0 or 255');
    } else loaded.fill(0xff);
    this.bitmaps.set(block, loaded);
    return loaded;
  }

  /** Set by whoever keeps its disk's files (doubt.ts); called when a sync of this file has failed. */
  onFailedSync: () => void = () => undefined;

  /** Readers see the block no more; on the disk changeBat removes it. */
  clear(block: number): void {
    this.bat[block] = BAT_UNUSED;
    this.bitmaps.drop(block);
  }

  dataOffset(block: number): number {
    return (this.bat[block] ?? 0) * SECTOR_BYTES + this.bitmapBytes;
  }

  readData(block: number, at: number, target: Uint8Array): void {
    if (this.#poison !== null) throw poisoned(this.#poison);
    this.file.read(target, this.dataOffset(block) + at);
  }

  writeData(block: number, at: number, source: Uint8Array): void {
    this.#writeAt(this.dataOffset(block) + at, source);
  }

  /** Reserves a slot at the end, known to nobody, and answers its BAT entry. It reads as zeros: never written to. */
  reserve(): number {
    this.#beforeWriting();
    // Room for the end footer stays between the blocks, so that it is never overwritten.
    const dataOffset = alignUp(this.#end + FOOTER_BYTES + this.sumsBytes + this.bitmapBytes, UNIT_BYTES);
    requireInReach(dataOffset + this.blockBytes, this.file.name);
    this.#end = dataOffset + this.blockBytes;
    // The size is durable with the sync that comes before the slot's BAT entry; the space stays a hole.
    this.file.truncate(this.#end);
    return (dataOffset - this.bitmapBytes) / SECTOR_BYTES;
  }

  /** Gives back all slots reserved since `end` was the end; none was published. Reserved anew they read as zeros. */
  release(end: number): void {
    this.file.truncate(end + FOOTER_BYTES);
    this.#end = end;
  }

  /** Its BAT and locators, in bytes of its file. */
  get table(): { readonly from: number; readonly end: number } {
    return { from: this.#batOffset, end: this.#locatorsAt() + 2 * LOCATOR_SPACE };
  }

  /** Ends the file at `end`, behind which nothing is needed. On failure it is as it was (T14). Durable after sync(). */
  endAt(end: number): void {
    this.#writeAt(end, this.#footer());
    this.release(end);
  }

  get end(): number {
    return this.#end;
  }

  /** Writes into a slot no reader knows of. Negative `at`: into the page before its data (page.ts). */
  fillSlot(entry: number, at: number, source: Uint8Array): void {
    this.#writeAt(entry * SECTOR_BYTES + this.bitmapBytes + at, source);
  }

  /** Readers see these slots from now on. */
  publish(entries: ReadonlyMap<number, number>): void {
    for (const [block, entry] of entries) {
      this.bat[block] = entry;
      this.bitmaps.drop(block);
    }
  }

  /** Adopts a slot that a run file names: the end moves past it. */
  place(block: number, entry: number): void {
    this.bat[block] = entry;
    this.bitmaps.set(block, new Uint8Array(this.unitsPerBlock).fill(this.isDifferencing ? 0 : 0xff));
    const dataOffset = entry * SECTOR_BYTES + this.bitmapBytes;
    this.#end = Math.max(this.#end, dataOffset + this.blockBytes);
  }

  /** False: the block has no room for sums before it (page.ts), and none will ever be recorded. */
  hasSums = (block: number): boolean => sumsRoom(this, this.bat[block] ?? 0) > 0;

  /** Writes the BAT sectors of these blocks, from `source`. A failure may leave some written: their data is durable. */
  writeBat(blocks: Iterable<number>, source: Uint32Array): void {
    for (const { at, bytes } of batSectors(blocks, source)) this.#writeAt(this.#batOffset + at, bytes);
  }

  /** The same, but a failure leaves none written (T14): their slots are not ready for readers, or blocks would be gone. */
  changeBat(blocks: Iterable<number>, source: Uint32Array): void {
    const all = [...blocks];
    let written = 0;
    try {
      for (const { at, bytes } of batSectors(all, source)) {
        this.#writeAt(this.#batOffset + at, bytes);
        written++;
      }
    } catch (cause) {
      // A sector is written or not: where a full host refused the very first, nothing needs putting back.
      if (written > 0) this.putBack(() => this.writeBat(all, this.bat));
      throw cause;
    }
  }

  /** T14: rewrites maps whose writing failed as memory has them: retries rely on it. On a full host they stay owed. */
  putBack(...writes: readonly (() => void)[]): void {
    const owed = [...this.#owed.splice(0), ...writes];
    try {
      for (const write of owed) write();
    } catch (cause) {
      if (cause instanceof Fault && cause.body.code === 'disk.full') this.#owed = owed;
      else this.#poison ??= `writing the maps of ${this.file.name} failed half-way`;
    }
  }

  /** As `BlockFile.punch`, of bytes of the file. */
  punch(offset: number, length: number): Promise<boolean> {
    this.#beforeWriting();
    return this.file.punch(offset, length);
  }

  /** As `BlockFile.cloneFrom`, of bytes of the files. */
  cloneFrom(source: Image, sourceOffset: number, offset: number, length: number): Promise<boolean> {
    this.#beforeWriting();
    return this.file.cloneFrom(source.file, sourceOffset, offset, length);
  }

  /** Takes another name and place in the tree: head footer and header (T3: the flip). Durable after sync(). */
  become(
    identity: Pick<ImageIdentity, 'uuid' | 'parent'> & Partial<Pick<ImageIdentity, 'timestampMs'>>,
  ): void {
    this.uuid = identity.uuid;
    this.parent = identity.parent;
    this.timestampMs = identity.timestampMs ?? this.timestampMs;
    this.writeHeaders();
  }

  writeHeaders(): void {
    this.#batEntries = this.blockCount;
    const { parent } = this;
    for (const copy of parent === null ? [] : [0, 1])
      this.#writeAt(this.#locatorsAt() + copy * LOCATOR_SPACE, locatorBytes(parent?.name ?? ''));
    this.#writeAt(0, Buffer.concat([this.#footer(), this.#header()]));
  }

  #locatorsAt(): number {
    return this.#batOffset + alignUp(this.blockCount * 4, SECTOR_BYTES);
  }

  #writeAt(at: number, bytes: Uint8Array): void {
    this.#beforeWriting();
    this.file.write(bytes, at);
  }

  #header(batOffset = this.#batOffset, batEntries = this.#batEntries): Uint8Array {
    const { blockBytes, parent } = this;
    return encodeHeader({ batOffset, batEntries, blockBytes, parent }, this.#locatorsAt());
  }

  /** Reserves room at the end for a BAT of so many entries, which no header names yet. Answers its offset in the file. */
  reserveBat(entries: number): number {
    const at = alignUp(this.#end + FOOTER_BYTES, SECTOR_BYTES);
    requireInReach(at + entries * 4, this.file.name);
    this.#end = at + alignUp(entries * 4, SECTOR_BYTES);
    return at;
  }

  /** Into a BAT no reader knows of. */
  fillBat(at: number, bat: Uint32Array): void {
    for (const sector of batSectors(bat.keys(), bat)) this.#writeAt(at + sector.at, sector.bytes);
  }

  /** Makes the header name this BAT; one sector of it differs (resize.ts). Null: the BAT it has. */
  writeHeader(table: { readonly at: number; readonly bat: Uint32Array } | null): void {
    const { at, bat } = table ?? { at: this.#batOffset, bat: this.#bat };
    // T14: a write that fails has not happened, in memory as on the disk.
    this.#writeAt(FOOTER_BYTES, this.#header(at, bat.length));
    [this.#batOffset, this.#bat, this.#batEntries] = [at, bat, bat.length];
  }

  /** Makes the head footer say this size: one sector. Blocks behind it are here no more (resize.ts). */
  writeSize(virtualBytes: number): void {
    this.#writeAt(0, this.#footer({ virtualBytes }));
    this.#virtualBytes = virtualBytes;
    const blocks = blocksOf(this);
    if (blocks < this.blockCount) this.#bat = this.#bat.slice(0, blocks);
    this.bitmaps.endAt(blocks);
  }

  #footer({ virtualBytes = this.virtualBytes, isLeaf = this.#isLeaf } = {}): Uint8Array {
    const { uuid, isDifferencing, timestampMs } = this;
    return footerOf({ uuid, isDifferencing, virtualBytes, timestampMs, isLeaf });
  }

  get isLeaf(): boolean {
    return this.#isLeaf;
  }

  /** T5: the footer, a single sector, says whether the image is a leaf. Durable after sync(). */
  markLeaf(isLeaf: boolean): void {
    if (this.#isLeaf === isLeaf) return;
    const footer = this.#footer({ isLeaf });
    // T12: the end footer first, so that whoever finds the head of a point finds its end.
    if (!isLeaf) this.#writeAt(this.#end, footer);
    this.#writeAt(0, footer);
    this.#isLeaf = isLeaf;
  }

  /** T12: whether the end footer says what the head says, for programs that read from the end. */
  hasEndFooter(): boolean {
    const at = this.file.sizeBytes() - FOOTER_BYTES;
    const end = new Uint8Array(FOOTER_BYTES);
    if (at >= FOOTER_BYTES) this.file.read(end, at);
    return Buffer.compare(end, this.#footer()) === 0;
  }

  /** T12: at every quiesce, right after the last block. Durable after sync(). */
  writeEndFooter(): void {
    this.#writeAt(this.#end, this.#footer());
  }

  /** T14: a failed sync means the kernel may have dropped what we wrote; nothing here can be trusted until reopened. */
  async sync(): Promise<void> {
    this.#beforeWriting();
    try {
      await this.file.sync();
    } catch (cause) {
      this.distrust();
      throw cause;
    }
    // Another caller's sync of the same file may have failed meanwhile; only that caller's call tells of it.
    this.#beforeWriting();
  }

  /** A sync of its file has failed, on whatever handle. */
  distrust(): void {
    this.#poison = `syncing ${this.file.name} failed`;
    this.onFailedSync();
  }

  #beforeWriting(): void {
    if (this.#owed.length > 0) this.putBack();
    if (this.#poison !== null) throw poisoned(this.#poison);
    if (this.#owed.length > 0) throw stillFull(this.file.name);
  }

  allocatedBlocks(): number[] {
    return [...this.#bat.keys()].filter(block => this.has(block));
  }

  close = (): void => this.file.close();
}
