// Reads everything again and compares it with its checksums (sums.ts), some megabytes at a time. The caller
// keeps the cursor, so that a check can be paused, resumed and given up, and the death of a worker costs
// nothing. Nothing is written.
import type { DiskId, PointId } from '../../../shared/ids.ts';
import { Fault } from '../../../shared/result.ts';
import { SECTOR_BYTES } from '../../../shared/units.ts';
import { DAMAGES_MAX, type Damage, type Verified, type VerifyCursor } from '../../../shared/verify.ts';
import { UNIT_BYTES } from '../vhd/geometry.ts';
import { unitRuns } from './copy.ts';
import { dependentsOf } from './dependents.ts';
import type { Disk } from './disk.ts';
import { type DiskFiles, fileName, newFileName } from './disk-files.ts';
import type { Image } from './image.ts';
import { isBlank, isPartial, readPage } from './page.ts';
import { bitmapSum, unitSum } from './sums.ts';
import type { Tree } from './tree.ts';

const CHUNK_UNITS = 64;

interface Reading {
  readonly files: DiskFiles;
  readonly name: string;
  readonly image: Image;
  /** A missing checksum is damage. During a merge only a page without any is: a bitmap's may be missing. */
  readonly isRecorded: boolean;
  readonly isMerging: boolean;
  /** Blocks that a reversal or a merge may have half-written: other images answer for them (T3, T8). */
  readonly isTorn: (block: number) => boolean;
  /** T8: the units that a merge's child answers for, as this block may be half-written; null: none. */
  readonly answered: (block: number) => Uint8Array | null;
}

/** What one call found. */
interface Found {
  checkedBytes: number;
  unrecordedBytes: number;
  readonly damages: Damage[];
}

export class Verifier {
  readonly #tree: Tree;
  readonly #disks: ReadonlyMap<DiskId, Disk>;
  readonly #turn: () => Promise<void>;

  constructor(tree: Tree, disks: ReadonlyMap<DiskId, Disk>, turn: () => Promise<void>) {
    this.#tree = tree;
    this.#disks = disks;
    this.#turn = turn;
  }

  /** Reads about `budgetBytes` from `cursor` (null: the start). Files that come or go are passed over. */
  async some(cursor: VerifyCursor | null, budgetBytes: number): Promise<Verified> {
    const found: Found = { checkedBytes: 0, unrecordedBytes: 0, damages: [] };
    const isEnough = (): boolean => found.checkedBytes >= budgetBytes || found.damages.length >= DAMAGES_MAX;
    for (const { disk, name, block } of this.#from(cursor)) {
      const stopped = await this.#file(disk, name, block, isEnough, found);
      if (stopped === null && !isEnough()) continue;
      return {
        ...found,
        cursor: { diskId: disk.id, file: name, block: stopped },
        totalBytes: this.#totalBytes(),
      };
    }
    return { ...found, cursor: null, totalBytes: this.#totalBytes() };
  }

  /** What is still to be read, in the order of disks and names, so that no file is missed or read twice. */
  *#from(cursor: VerifyCursor | null): Generator<{ disk: Disk; name: string; block: number }> {
    for (const disk of [...this.#disks.values()].sort((a, b) => (a.id < b.id ? -1 : 1))) {
      if (cursor !== null && disk.id < cursor.diskId) continue;
      const isHere = cursor?.diskId === disk.id;
      for (const name of this.#names(disk)) {
        if (isHere && name < cursor.file) continue;
        const block = isHere && name === cursor.file ? cursor.block : 0;
        if (block !== null) yield { disk, name, block };
      }
    }
  }

  /** Frozen files, also those of an edge that is being turned. */
  #names({ id, files }: Disk): string[] {
    const names = this.#tree.points.filter(({ diskId }) => diskId === id).map(point => fileName(point.id));
    const op = this.#tree.reversalOf(id);
    if (op !== undefined) names.push(newFileName(op.root));
    return names.filter(name => files.folder.exists(name)).sort();
  }

  #totalBytes(): number {
    const sizes = [...this.#disks.values()].flatMap(disk =>
      this.#names(disk).map(name => disk.files.allocatedBytes(name)),
    );
    return sizes.reduce((sum, bytes) => sum + bytes, 0);
  }

  /** Answers the block it stopped at; null at the end of the file. */
  async #file(
    { files }: Disk,
    name: string,
    from: number,
    isEnough: () => boolean,
    found: Found,
  ): Promise<number | null> {
    try {
      for (let block = from; ; block++) {
        // The image is asked for anew after every turn: a flip or a purge may have closed it.
        const reading = this.#reading(files, name);
        if (reading === null || block >= reading.image.blockCount) return null;
        if (isEnough()) return block;
        if (!reading.image.has(block) || reading.isTorn(block)) continue;
        this.#block(reading, block, found);
        await this.#turn();
      }
    } catch (cause) {
      if (!(cause instanceof Fault)) throw cause;
      found.damages.push(this.#wholeFile(files, name, cause));
      return null;
    }
  }

  #reading(files: DiskFiles, name: string): Reading | null {
    if (!files.folder.exists(name)) return null;
    const { id } = files.row;
    const op = this.#tree.reversalOf(id);
    const point = this.#tree.points.find(row => row.diskId === id && fileName(row.id) === name);
    const isMoving = op !== undefined && (name.startsWith(op.root) || name.startsWith(op.child));
    const merge = this.#tree.mergeOf(id);
    const isMerging =
      merge !== undefined && (name === fileName(merge.point) || name === fileName(merge.child));
    const isBackward = op !== undefined && name === newFileName(op.root);
    const isRenaming = (isMoving && op.kind === 'flip') || (isMerging && merge.stage === 'flip');
    const image = files.image(name, isMoving || isMerging ? null : (point?.id ?? null));
    const edge = op === undefined || op.kind === 'flip' ? null : files.edge(op);
    const isFilling = merge?.direction === 'down' && merge.stage === 'copy' && name === fileName(merge.point);
    return {
      files,
      name,
      image,
      // What is copied is summed. While names change hands the row may be about another file.
      isRecorded: isBackward || (point?.sums === true && !isRenaming),
      isMerging,
      answered: block => (isFilling ? answeredBy(files, merge.child, block) : null),
      isTorn: block => edge?.root === image && edge.backward.has(block) && edge.forward?.has(block) === true,
    };
  }

  /** Runs in one tick, so that nobody changes the block meanwhile. */
  #block(reading: Reading, block: number, found: Found): void {
    const { image } = reading;
    const { units: here, sums, isMapLost } = readPage(image, block);
    const answered = reading.answered(block);
    const units = here.map((unit, index) => (answered?.[index] === 0xff ? 0 : unit));
    const isUnsummed = reading.isMerging ? isBlank(sums) : sums.bitmap === 0;
    const isMissing = reading.isRecorded && (image.hasSums(block) ? isUnsummed : isElsewhere(image, block));
    if (answered === null && (isMapLost || isMissing || isPartial(image, units))) {
      this.#add(reading, block, { first: 0, count: image.unitsPerBlock, kind: 'map' }, found);
      found.checkedBytes += UNIT_BYTES;
      return;
    }
    const wrong = new Uint8Array(units.length);
    for (const { first, count } of unitRuns(units))
      for (let unit = first; unit < first + count; unit += CHUNK_UNITS) {
        const bytes = new Uint8Array(Math.min(CHUNK_UNITS, first + count - unit) * UNIT_BYTES);
        image.readData(block, unit * UNIT_BYTES, bytes);
        compare(reading, block, { bytes, firstUnit: unit, sums: sums.units, wrong }, found);
        found.checkedBytes += bytes.length;
      }
    for (const { first, count } of unitRuns(wrong))
      this.#add(reading, block, { first, count, kind: 'data' }, found);
  }

  #add(
    { files, name, image }: Reading,
    block: number,
    { first, count, kind }: { first: number; count: number; kind: 'map' | 'data' },
    found: Found,
  ): void {
    if (found.damages.length >= DAMAGES_MAX) return;
    const units = new Uint8Array(image.unitsPerBlock).fill(0xff, first, first + count);
    found.damages.push({
      diskId: files.row.id,
      file: name,
      kind,
      offset: block * image.blockBytes + first * UNIT_BYTES,
      length: count * UNIT_BYTES,
      what:
        kind === 'map'
          ? `which parts of block ${block} it holds is not what was recorded`
          : `${count} × 4 KiB in block ${block} are not what was recorded`,
      // A damaged map may hide what the block holds, so no image on the way can be known to answer for it.
      ...dependentsOf(this.#tree, files, name, kind === 'map' ? null : { block, units }),
    });
  }

  #wholeFile(files: DiskFiles, name: string, { body }: Fault): Damage {
    return {
      diskId: files.row.id,
      file: name,
      kind: 'file',
      offset: 0,
      length: files.row.virtualBytes,
      what: body.what,
      ...dependentsOf(this.#tree, files, name, null),
    };
  }
}

/**
 * T8: the units that the child of a merge into its point still has. Where the child cannot be read, its own
 * file is the damaged one: the point's block is read only through it.
 */
function answeredBy(files: DiskFiles, child: PointId, block: number): Uint8Array | null {
  try {
    const image = files.image(fileName(child), child);
    return image.has(block) ? image.units(block) : null;
  } catch (cause) {
    if (!(cause instanceof Fault)) throw cause;
    return new Uint8Array(files.row.blockBytes / UNIT_BYTES).fill(0xff);
  }
}

/** For a block without room for sums: do sums for it lie where a single bit of its BAT entry would lead? */
function isElsewhere(image: Image, block: number): boolean {
  const entry = image.bat[block] ?? 0;
  for (let bit = UNIT_BYTES / SECTOR_BYTES; bit < 2 ** 31; bit *= 2) {
    const other = entry + bit;
    if (other * SECTOR_BYTES >= image.file.sizeBytes()) break;
    const { units, sums } = readPage(image, block, other);
    if (sums.bitmap !== 0 && sums.bitmap === bitmapSum(units, block)) return true;
  }
  return false;
}

interface Piece {
  readonly bytes: Uint8Array;
  readonly firstUnit: number;
  readonly sums: Uint32Array;
  readonly wrong: Uint8Array;
}

function compare(
  { image, isRecorded }: Reading,
  block: number,
  { bytes, firstUnit, sums, wrong }: Piece,
  found: Found,
): void {
  for (let at = 0; at < bytes.length; at += UNIT_BYTES) {
    const unit = firstUnit + at / UNIT_BYTES;
    const sum = sums[unit] ?? 0;
    const isKnown = sum !== 0 || (isRecorded && image.hasSums(block));
    if (!isKnown) found.unrecordedBytes += UNIT_BYTES;
    else if (sum !== unitSum(bytes.subarray(at, at + UNIT_BYTES), block * image.unitsPerBlock + unit))
      wrong[unit] = 0xff;
  }
}
