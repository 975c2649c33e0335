// Writes the difference between two points as a differencing VHD for somebody else. Its UUID and parent are
// those of the points (T1), so that whoever has the parent can tell that the file fits. It is written some
// megabytes at a time, so that it can be cancelled and lives through a restart. Only units that really differ
// are in it. The points are only read (T4).
import type { DiskId, PointId } from '../../../shared/ids.ts';
import { Fault } from '../../../shared/result.ts';
import type { BlockFile, Folder } from '../../platform/ports.ts';
import { UNIT_BYTES } from '../vhd/geometry.ts';
import { addSums, unitRuns, withEntries } from './copy.ts';
import type { Disk } from './disk.ts';
import { fileName } from './disk-files.ts';
import { readView } from './disk-volume.ts';
import { noPoint } from './engine-faults.ts';
import { Image } from './image.ts';
import { ownerOf, type View } from './layers.ts';
import { writePage } from './page.ts';
import type { DiskRow } from './state.ts';
import type { Tree } from './tree.ts';

const BLOCKS_PER_TURN = 256;
const CHUNK_UNITS = 64;

export interface DeltaPlace {
  readonly folder: Folder;
  readonly name: string;
}
export interface DeltaCursor {
  readonly block: number;
  readonly writtenBytes: number;
}
export interface DeltaOrder {
  readonly fromId: PointId;
  readonly toId: PointId;
  /** Null: from the start, into a new file. */
  readonly cursor: DeltaCursor | null;
  readonly budgetBytes: number;
}
export interface DeltaWritten {
  /** Null: whole and durable. */
  readonly cursor: DeltaCursor | null;
  readonly writtenBytes: number;
  readonly doneBytes: number;
  readonly totalBytes: number;
}

export class DeltaWriter {
  readonly #tree: Tree;
  readonly #disks: ReadonlyMap<DiskId, Disk>;
  readonly #turn: () => Promise<void>;

  constructor(tree: Tree, disks: ReadonlyMap<DiskId, Disk>, turn: () => Promise<void>) {
    this.#tree = tree;
    this.#disks = disks;
    this.#turn = turn;
  }

  /**
   * Goes on, reading about `budgetBytes`. Faults: moment.not-found, vhd.parent-mismatch, disk.full, disk.io.
   */
  async some({ folder, name }: DeltaPlace, order: DeltaOrder, nowMs: number): Promise<DeltaWritten> {
    const { files } = this.#disk(order.fromId);
    if (this.#disk(order.toId).files !== files) throw otherDisk();
    const [before, after] = [order.fromId, order.toId].map(id => this.#tree.sizeOf(files.row, id));
    if (before !== after) throw otherSize(before ?? 0, after ?? 0);
    const row = { ...files.row, virtualBytes: after ?? 0 };
    const views = [files.view(order.fromId), files.view(order.toId)] as const;
    const file = folder.open(name, order.cursor === null ? 'create' : 'existing');
    try {
      const image =
        order.cursor === null ? createdFor(order, row, file, nowMs) : Image.open(file, order.toId);
      let writtenBytes = order.cursor?.writtenBytes ?? 0;
      let block = order.cursor?.block ?? 0;
      for (let read = 0; block < image.blockCount && read < order.budgetBytes; block++) {
        if (block % BLOCKS_PER_TURN === 0) await this.#turn();
        const candidates = differing(views, block, row);
        if (!candidates.includes(0xff)) continue;
        read += 2 * row.blockBytes;
        writtenBytes += await this.#block(image, views, row, { block, candidates });
      }
      image.writeEndFooter();
      const isDone = block >= image.blockCount;
      if (isDone) await image.sync();
      const doneBytes = Math.min(block * row.blockBytes, row.virtualBytes);
      const cursor = isDone ? null : { block, writtenBytes };
      return { cursor, writtenBytes, doneBytes, totalBytes: row.virtualBytes };
    } finally {
      file.close();
    }
  }

  #disk(pointId: PointId): Disk {
    const disk = this.#disks.get(this.#tree.point(pointId)?.diskId ?? ('' as DiskId));
    if (disk === undefined) throw noPoint(pointId);
    return disk;
  }

  async #block(
    image: Image,
    [from, to]: readonly [View, View],
    row: DiskRow,
    { block, candidates }: { readonly block: number; readonly candidates: Uint8Array },
  ): Promise<number> {
    const shape = { sizeBytes: row.virtualBytes, blockBytes: row.blockBytes };
    const units = new Uint8Array(image.unitsPerBlock);
    const sums = new Uint32Array(image.unitsPerBlock);
    let slot: number | null = null;
    let written = 0;
    for (const run of unitRuns(candidates)) {
      for (let unit = run.first; unit < run.first + run.count; unit += CHUNK_UNITS) {
        const count = Math.min(CHUNK_UNITS, run.first + run.count - unit);
        const at = block * row.blockBytes + unit * UNIT_BYTES;
        const [old, now] = [new Uint8Array(count * UNIT_BYTES), new Uint8Array(count * UNIT_BYTES)];
        readView(from, shape, old, at);
        readView(to, shape, now, at);
        const changed = changedUnits(old, now);
        for (const { first, count: length } of unitRuns(changed)) {
          slot ??= image.reserve();
          const bytes = now.subarray(first * UNIT_BYTES, (first + length) * UNIT_BYTES);
          image.fillSlot(slot, (unit + first) * UNIT_BYTES, bytes);
          units.fill(0xff, unit + first, unit + first + length);
          addSums(sums, { bytes, firstUnit: unit + first, firstOfBlock: block * image.unitsPerBlock });
          written += bytes.length;
        }
        await this.#turn();
      }
    }
    if (slot === null) return 0;
    writePage(image, block, slot, { units, sums });
    const slots = new Map([[block, slot]]);
    image.changeBat(slots.keys(), withEntries(image.bat, slots));
    image.publish(slots);
    return written;
  }
}

function createdFor({ fromId, toId }: DeltaOrder, row: DiskRow, file: BlockFile, nowMs: number): Image {
  const { virtualBytes, blockBytes } = row;
  const parent = { uuid: fromId, name: fileName(fromId) };
  return Image.create(file, {
    uuid: toId,
    virtualBytes,
    blockBytes,
    parent,
    timestampMs: nowMs,
    isLeaf: false,
  });
}

/** The units of a block, inside the disk, that the points read from different images: these may differ. */
function differing([from, to]: readonly [View, View], block: number, row: DiskRow): Uint8Array {
  const units = new Uint8Array(row.blockBytes / UNIT_BYTES);
  const [a, b] = [from.owner(block), to.owner(block)];
  if (a === b) return units;
  const inside = (row.virtualBytes - block * row.blockBytes) / UNIT_BYTES;
  return units.map((_, unit) => (unit >= inside || ownerOf(a, unit) === ownerOf(b, unit) ? 0 : 0xff));
}

const changedUnits = (old: Uint8Array, now: Uint8Array): Uint8Array =>
  new Uint8Array(old.length / UNIT_BYTES).map((_, unit) => {
    const [from, to] = [unit * UNIT_BYTES, (unit + 1) * UNIT_BYTES];
    return Buffer.compare(old.subarray(from, to), now.subarray(from, to)) === 0 ? 0 : 0xff;
  });

const otherDisk = (): Fault =>
  new Fault({
    code: 'vhd.parent-mismatch',
    what: 'The two points are of different disks.',
    safe: 'Nothing was written.',
    todo: 'Choose two points of one disk.',
  });

const otherSize = (before: number, after: number): Fault =>
  new Fault({
    code: 'vhd.parent-mismatch',
    what: `The disk held ${before} bytes at the first point and ${after} at the second; other readers refuse a difference between such two.`,
    safe: 'Nothing was written.',
    todo: 'Export the second point whole.',
    data: { before, after },
  });
