// VHDs as other people write them, by a writer that shares no code with ours: every field can be placed and spoiled. Sources:
// the published specification, and what qemu-img, Virtual PC, Hyper-V, VirtualBox and blktap are known to leave behind.
const SECTOR = 512;

export interface ForeignLocator {
  readonly code: string;
  readonly text: string;
  /** As the specification has it, instead of in bytes as everybody writes it. */
  readonly spaceInSectors?: boolean;
}

export interface ForeignVhd {
  readonly content: Buffer;
  readonly kind?: 'fixed' | 'dynamic' | 'differencing';
  readonly uuid?: string;
  readonly blockBytes?: number;
  readonly creator?: string;
  readonly headFooter?: boolean;
  readonly endFooter?: boolean | 'short';
  /** Entries the BAT has beyond those the disk needs. */
  readonly spareEntries?: number;
  /** Bytes left free in front of each block, by its place. */
  readonly gap?: (place: number) => number;
  /** Blocks on disk in this order, given the allocated ones. */
  readonly order?: (blocks: number[]) => number[];
  /** Which blocks are there; all that hold something by default. */
  readonly allocated?: (block: number) => boolean;
  /** Which sectors are; all of an allocated block by default. */
  readonly hasSector?: (sector: number) => boolean;
  /** What lies under a clear bit. */
  readonly junk?: number;
  /** blktap's extension: a header and a map right behind the BAT. */
  readonly batmap?: boolean;
  readonly cutLastBlock?: boolean;
  readonly parent?: {
    readonly uuid: string;
    readonly name: string;
    readonly locators?: readonly ForeignLocator[];
  };
}

const up = (value: number, step: number): number => Math.ceil(value / step) * step;

/** The checksum of a structure, put at `at`. */
export function seal(bytes: Buffer, at: number): Buffer {
  bytes.writeUInt32BE(0, at);
  const sum = bytes.reduce((total, byte) => total + byte, 0);
  bytes.writeUInt32BE(~sum >>> 0, at);
  return bytes;
}

const uuidBuffer = (uuid: string): Buffer => Buffer.from(uuid.replaceAll('-', ''), 'hex');
export const DEFAULT_UUID = '11111111-2222-4333-8444-555555555555';

export function footerOf(vhd: ForeignVhd): Buffer {
  const kind = vhd.kind ?? 'dynamic';
  const footer = Buffer.alloc(512);
  footer.write('conectix', 0);
  footer.writeUInt32BE(2, 8);
  footer.writeUInt32BE(0x10000, 12);
  footer.writeBigUInt64BE(kind === 'fixed' ? 0xffffffffffffffffn : 512n, 16);
  footer.writeUInt32BE(700_000_000, 24);
  footer.write(vhd.creator ?? 'vpc ', 28);
  footer.write('Wi2k', 36);
  footer.writeBigUInt64BE(BigInt(vhd.content.length), 40);
  footer.writeBigUInt64BE(BigInt(vhd.content.length), 48);
  // Rounded down, as Virtual PC's: readers that believe it lose the tail.
  footer.writeUInt16BE(Math.min(65535, Math.floor(vhd.content.length / SECTOR / 17 / 4)), 56);
  footer.writeUInt8(4, 58);
  footer.writeUInt8(17, 59);
  footer.writeUInt32BE({ fixed: 2, dynamic: 3, differencing: 4 }[kind], 60);
  uuidBuffer(vhd.uuid ?? DEFAULT_UUID).copy(footer, 68);
  return seal(footer, 64);
}

function locatorBytes({ code, text }: ForeignLocator): Buffer {
  if (code === 'MacX') return Buffer.from(text, 'utf8');
  return Buffer.from(text, code.startsWith('W2') ? 'utf16le' : 'latin1');
}

function headerOf(
  vhd: ForeignVhd,
  entries: number,
  locatorsAt: number,
): { header: Buffer; locators: Buffer } {
  const header = Buffer.alloc(1024);
  header.write('cxsparse', 0);
  header.writeBigUInt64BE(0xffffffffffffffffn, 8);
  header.writeBigUInt64BE(1536n, 16);
  header.writeUInt32BE(0x10000, 24);
  header.writeUInt32BE(entries, 28);
  header.writeUInt32BE(vhd.blockBytes ?? 2 ** 21, 32);
  const parts: Buffer[] = [];
  if (vhd.parent !== undefined) {
    uuidBuffer(vhd.parent.uuid).copy(header, 40);
    Buffer.from(vhd.parent.name, 'utf16le').swap16().copy(header, 64);
    let at = locatorsAt;
    (vhd.parent.locators ?? []).forEach((locator, index) => {
      const text = locatorBytes(locator);
      const space = up(text.length, SECTOR);
      header.write(locator.code, 576 + index * 24, 'latin1');
      header.writeUInt32BE(locator.spaceInSectors === true ? space / SECTOR : space, 580 + index * 24);
      header.writeUInt32BE(text.length, 584 + index * 24);
      header.writeBigUInt64BE(BigInt(at), 592 + index * 24);
      parts.push(Buffer.concat([text], space));
      at += space;
    });
  }
  return { header: seal(header, 36), locators: Buffer.concat(parts) };
}

function batmapOf(entries: number, at: number): Buffer {
  const map = Buffer.alloc(up(Math.ceil(entries / 8), SECTOR), 0xff);
  const head = Buffer.alloc(SECTOR);
  head.write('tdbatmap', 0);
  head.writeBigUInt64BE(BigInt(at + SECTOR), 8);
  head.writeUInt32BE(map.length / SECTOR, 16);
  head.writeUInt32BE(0x10002, 20);
  head.writeUInt32BE(~map.reduce((sum, byte) => sum + byte, 0) >>> 0, 24);
  return Buffer.concat([head, map]);
}

/** Bitmap and data of one block. */
function blockOf(vhd: ForeignVhd, block: number): Buffer {
  const blockBytes = vhd.blockBytes ?? 2 ** 21;
  const bitmap = Buffer.alloc(up(blockBytes / SECTOR / 8, SECTOR));
  const data = Buffer.alloc(blockBytes);
  vhd.content.copy(data, 0, block * blockBytes, (block + 1) * blockBytes);
  for (let sector = 0; sector < blockBytes / SECTOR; sector++) {
    const isHere = vhd.hasSector?.(block * (blockBytes / SECTOR) + sector) ?? true;
    if (isHere) bitmap[sector >> 3] = (bitmap[sector >> 3] ?? 0) | (0x80 >> (sector & 7));
    else data.fill(vhd.junk ?? 0, sector * SECTOR, (sector + 1) * SECTOR);
  }
  return Buffer.concat([bitmap, data]);
}

export function writeForeignVhd(vhd: ForeignVhd): Buffer {
  const footer = footerOf(vhd);
  const end =
    vhd.endFooter === false ? Buffer.alloc(0) : footer.subarray(0, vhd.endFooter === 'short' ? 511 : 512);
  if (vhd.kind === 'fixed') return Buffer.concat([vhd.content, end]);
  const blockBytes = vhd.blockBytes ?? 2 ** 21;
  const blocks = Math.ceil(vhd.content.length / blockBytes);
  const entries = blocks + (vhd.spareEntries ?? 0);
  const bat = Buffer.alloc(up(entries * 4, SECTOR), 0xff);
  const batmap = vhd.batmap === true ? batmapOf(entries, 1536 + bat.length) : Buffer.alloc(0);
  const locatorsAt = 1536 + bat.length + batmap.length;
  const { header, locators } = headerOf(vhd, entries, locatorsAt);
  const isEmpty = (block: number): boolean =>
    vhd.content.subarray(block * blockBytes, (block + 1) * blockBytes).every(byte => byte === 0);
  const allocated = vhd.allocated ?? ((block: number) => !isEmpty(block));
  const present = Array.from({ length: blocks }, (_, block) => block).filter(allocated);
  const parts: Buffer[] = [];
  let at = locatorsAt + locators.length;
  (vhd.order?.(present) ?? present).forEach((block, place) => {
    const gap = Buffer.alloc(vhd.gap?.(place) ?? 0, 0x5a);
    bat.writeUInt32BE((at + gap.length) / SECTOR, block * 4);
    let bytes = blockOf(vhd, block);
    if (vhd.cutLastBlock === true && block === blocks - 1) {
      const kept = vhd.content.length - block * blockBytes;
      bytes = bytes.subarray(0, bytes.length - blockBytes + kept);
    }
    parts.push(gap, bytes);
    at += gap.length + bytes.length;
  });
  const head = vhd.headFooter === false ? Buffer.alloc(SECTOR, 0x11) : footer;
  return Buffer.concat([head, header, bat, batmap, locators, ...parts, end]);
}
