// A second reader of the VHD files that shares nothing with the engine. It goes by the headers alone (T5), as
// they are after a crash and before any recovery. Where two files carry one UUID, the dynamic one is the root
// of an edge being turned and the other its backward delta (T3); or the other is a file that a merge has
// emptied, and does not matter (T8).
import type { Folder } from '../../../electron/platform/ports.ts';
import { SECTOR } from './inode.ts';

interface Vhd {
  readonly name: string;
  readonly uuid: string;
  readonly isDynamic: boolean;
  readonly parent: string;
  readonly bytes: Buffer;
  readonly batAt: number;
  readonly blockBytes: number;
  readonly sectors: number;
  readonly isExact: boolean;
}

const hex = (bytes: Buffer): string =>
  bytes.toString('hex').replace(/^(.{8})(.{4})(.{4})(.{4})(.{12})$/, '$1-$2-$3-$4-$5');

function sum(bytes: Buffer, fieldAt: number): number {
  let total = 0;
  for (let index = 0; index < bytes.length; index++)
    if (index < fieldAt || index >= fieldAt + 4) total += bytes[index] ?? 0;
  return ~total >>> 0;
}

/** Null where headers or BAT are not whole. */
function parse(name: string, bytes: Buffer): Vhd | null {
  if (bytes.length < 1536 || bytes.toString('latin1', 0, 8) !== 'conectix') return null;
  if (bytes.toString('latin1', 512, 520) !== 'cxsparse') return null;
  if (sum(bytes.subarray(0, 512), 64) !== bytes.readUInt32BE(64)) return null;
  if (sum(bytes.subarray(512, 1536), 36) !== bytes.readUInt32BE(512 + 36)) return null;
  const [batAt, entries] = [Number(bytes.readBigUInt64BE(512 + 16)), bytes.readUInt32BE(512 + 28)];
  const [blockBytes, size] = [bytes.readUInt32BE(512 + 32), Number(bytes.readBigUInt64BE(48))];
  const blocks = Math.ceil(size / blockBytes);
  if (batAt + entries * 4 > bytes.length || blocks > entries) return null;
  // A block inside the headers or the BAT: the BAT itself never reached the disk, so nothing hangs off this
  // file yet.
  for (let block = 0; block < blocks; block++) {
    const at = bytes.readUInt32BE(batAt + block * 4) * SECTOR;
    if (at < 1536 || (at >= batAt && at < batAt + entries * 4)) return null;
  }
  return {
    name,
    bytes,
    batAt,
    uuid: hex(bytes.subarray(68, 84)),
    isDynamic: bytes.readUInt32BE(60) === 3,
    parent: hex(bytes.subarray(512 + 40, 512 + 56)),
    blockBytes,
    sectors: size / SECTOR,
    isExact: entries === blocks,
  };
}

/** The offset of a sector's data; null where this file does not have the sector. */
function locate(vhd: Vhd, sector: number): number | null {
  const perBlock = vhd.blockBytes / SECTOR;
  const entryAt = vhd.batAt + Math.floor(sector / perBlock) * 4;
  if (entryAt + 4 > vhd.bytes.length) return null;
  const entry = vhd.bytes.readUInt32BE(entryAt);
  if (entry === 0xffffffff) return null;
  const inBlock = sector % perBlock;
  const byte = vhd.bytes[entry * SECTOR + (inBlock >> 3)] ?? 0;
  if (!vhd.isDynamic && (byte & (0x80 >> (inBlock & 7))) === 0) return null;
  return entry * SECTOR + Math.ceil(perBlock / 8 / SECTOR) * SECTOR + inBlock * SECTOR;
}

export class HeaderReader {
  readonly #dynamic = new Map<string, Vhd>();
  readonly #differencing = new Map<string, Vhd>();
  readonly names: readonly string[];

  constructor(folder: Folder) {
    this.names = folder.list().filter(name => /\.vhd(\.new)?$/.test(name));
    for (const name of this.names) {
      const file = folder.open(name, 'read-only');
      const bytes = Buffer.alloc(file.sizeBytes());
      file.read(bytes, 0);
      const vhd = parse(name, bytes);
      if (vhd === null) continue;
      const known = vhd.isDynamic ? this.#dynamic : this.#differencing;
      // Of two differencing files the one under its own name has been emptied into the other (T8).
      if (!known.has(vhd.uuid) || name !== `${vhd.uuid}.vhd`) known.set(vhd.uuid, vhd);
    }
  }

  get roots(): number {
    return this.#dynamic.size;
  }

  has(uuid: string): boolean {
    return this.#dynamic.has(uuid) || this.#differencing.has(uuid);
  }

  parentOf(uuid: string): string | null {
    return this.#dynamic.has(uuid) ? null : (this.#differencing.get(uuid)?.parent ?? null);
  }

  /** Size of the file that stands for the point at rest; NaN where its BAT has entries to spare. */
  sectorsOf(uuid: string): number {
    const vhd = this.#dynamic.get(uuid) ?? this.#differencing.get(uuid);
    return vhd?.isExact === true ? vhd.sectors : Number.NaN;
  }

  /** The files that a read goes through, newest first; null where one is missing. */
  #layers(uuid: string): Vhd[] | null {
    const backward = [...this.#differencing.values()].find(vhd => this.#dynamic.has(vhd.uuid));
    const layers: Vhd[] = [];
    for (let id = uuid; layers.length < 10_000; ) {
      const [whole, delta] = [this.#dynamic.get(id), this.#differencing.get(id)];
      if (delta !== undefined) layers.push(delta);
      if (whole !== undefined) return [...layers, whole];
      if (delta === undefined) return null;
      // The forward delta of an edge being turned hangs off the root itself, whatever point that was.
      const root = backward?.parent === id ? this.#dynamic.get(backward.uuid) : undefined;
      if (root !== undefined) return [...layers, root];
      id = delta.parent;
    }
    return null;
  }

  /** The content of a point or leaf; null where its files are not all there. */
  content(uuid: string): Buffer | null {
    const layers = this.#layers(uuid);
    const own = layers?.[0];
    if (layers === null || own === undefined) return null;
    const content = Buffer.alloc(own.sectors * SECTOR);
    for (let sector = 0; sector < own.sectors; sector++) {
      for (const vhd of layers) {
        // Behind the end of a smaller image are zeros, whatever it hangs off.
        if (sector >= vhd.sectors) break;
        const at = locate(vhd, sector);
        if (at === null) continue;
        // The last block may end past the end of the file, where its tail was never written: zeros.
        vhd.bytes.copy(content, sector * SECTOR, at, at + SECTOR);
        break;
      }
    }
    return content;
  }
}
