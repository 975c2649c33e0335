// Reads what an image's own headers say before any tool opens the image: QEMU follows names inside an image
// even where it is only asked what the image is (DESIGN §8). Pure; a refusal names the field, the value found
// and the value expected.
import type { DiskFormat } from '../../../shared/vm.ts';

/** `length` bytes at `offset`, fewer at the end of the file. */
export type ReadAt = (offset: number, length: number) => Buffer;

/** A field whose value is refused. */
export interface Refused {
  readonly field: string;
  readonly found: string | number;
  readonly expected: string;
}

const MAGICS: readonly { readonly format: DiskFormat; readonly magic: Buffer }[] = [
  { format: 'qcow2', magic: Buffer.from('QFI\xfb', 'latin1') },
  { format: 'vhdx', magic: Buffer.from('vhdxfile') },
  { format: 'vmdk', magic: Buffer.from('KDMV') },
  { format: 'vmdk', magic: Buffer.from('COWD') },
  { format: 'vmdk', magic: Buffer.from('# Disk DescriptorFile') },
  { format: 'vhd', magic: Buffer.from('conectix') },
];
const FOOTER_BYTES = 512;
const TEXT_MAX = 200;

/** The format whose mark the image carries; null: it carries none, as a raw disk does. */
export function markedFormat(bytes: number, read: ReadAt): DiskFormat | null {
  const head = read(0, 32);
  const tail = bytes >= FOOTER_BYTES ? read(bytes - FOOTER_BYTES, 8) : Buffer.alloc(0);
  const marked = MAGICS.find(({ magic }) => head.subarray(0, magic.length).equals(magic));
  return marked?.format ?? (tail.toString('latin1') === 'conectix' ? 'vhd' : null);
}

/** What in the image refers to another file; null: nothing. */
export function outsideReference(format: DiskFormat, read: ReadAt): Refused | null {
  if (format === 'qcow2') return qcow2Reference(read);
  if (format === 'vmdk') return vmdkReference(read);
  return format === 'vhdx' ? vhdxReference(read) : null;
}

const EXTERNAL_DATA_FILE = 4n;
const BACKING_NAME_MAX = 1023;

function qcow2Reference(read: ReadAt): Refused | null {
  const head = read(0, 104);
  if (head.length < 72) return null;
  const [version, at, length] = [head.readUInt32BE(4), head.readBigUInt64BE(8), head.readUInt32BE(16)];
  if (at !== 0n) {
    const name = read(Number(at), Math.min(length, BACKING_NAME_MAX)).toString('utf8');
    return { field: 'backing file', found: quoted(name), expected: 'none' };
  }
  const features = version >= 3 && head.length >= 80 ? head.readBigUInt64BE(72) : 0n;
  if ((features & EXTERNAL_DATA_FILE) === 0n) return null;
  return {
    field: 'incompatible features',
    found: `${features} (external data file)`,
    expected: 'no data file',
  };
}

const SECTOR = 512;
const DESCRIPTOR_MAX = 1024 * 1024;
const QEMU_DESCRIPTOR = 64 * 1024;

/** Only the sparse single file is an image; a descriptor alone is a list of other files. */
function vmdkReference(read: ReadAt): Refused | null {
  const head = read(0, SECTOR);
  const magic = head.toString('latin1', 0, 4);
  if (magic !== 'KDMV')
    return {
      field: 'VMDK kind',
      found: quoted(head.toString('latin1', 0, 20)),
      expected: 'a single sparse file (KDMV)',
    };
  if (head.length < SECTOR) return null;
  const capacity = head.readBigUInt64LE(12);
  if (capacity === 0n) return { field: 'VMDK capacity', found: '0', expected: 'the sectors of the disk' };
  const [at, sectors] = [Number(head.readBigUInt64LE(28)), Number(head.readBigUInt64LE(36))];
  // QEMU looks for a parent right behind the header, wherever the header says that the descriptor is.
  const behind = read(SECTOR, QEMU_DESCRIPTOR).toString('latin1');
  const hint = /parentFileNameHint[^\0\n]*/i.exec(behind)?.[0];
  if (hint !== undefined) return { field: 'parentFileNameHint', found: quoted(hint), expected: 'none' };
  const told = read(at * SECTOR, Math.min(sectors * SECTOR, DESCRIPTOR_MAX)).toString('latin1');
  return at === 0 ? null : descriptorReference(told.replace(/\0.*$/s, ''));
}

function descriptorReference(text: string): Refused | null {
  const parent = /^\s*parentCID\s*=\s*(\w+)/im.exec(text)?.[1]?.toLowerCase() ?? 'ffffffff';
  if (parent !== 'ffffffff') return { field: 'parentCID', found: parent, expected: 'ffffffff, no parent' };
  const hint = /^\s*parentFileNameHint\s*=\s*(.*)$/im.exec(text)?.[1];
  if (hint !== undefined) return { field: 'parentFileNameHint', found: quoted(hint), expected: 'none' };
  const extents = text.split('\n').filter(line => /^\s*(?:RW|RDONLY|NOACCESS)\s/i.test(line));
  const other = extents.find(line => !/^\s*RW\s+\d+\s+SPARSE\s/i.test(line));
  if (other !== undefined) return { field: 'extent', found: quoted(other), expected: 'one of kind SPARSE' };
  if (extents.length <= 1) return null;
  return { field: 'extents', found: String(extents.length), expected: '1, this file itself' };
}

const VHDX_REGIONS = 192 * 1024;
const VHDX_ENTRIES_MAX = 2047;
const METADATA_REGION = '06a27c8b90479a4bb8fe575f050f886e';
const FILE_PARAMETERS = '3767a1ca36fa434db3b633f0aa44e76b';
const HAS_PARENT = 2;

/** Region table → metadata table → file parameters, whose bit 1 says that the image has a parent. */
function vhdxReference(read: ReadAt): Refused | null {
  const metadata = vhdxEntry(read, VHDX_REGIONS, { countAt: 8, first: 16 }, METADATA_REGION);
  if (metadata === null) return null;
  const table = Number(metadata.readBigUInt64LE(16));
  const parameters = vhdxEntry(read, table, { countAt: 10, first: 32 }, FILE_PARAMETERS);
  if (parameters === null) return null;
  const flags = read(table + parameters.readUInt32LE(16), 8);
  if (flags.length < 8 || (flags.readUInt32LE(4) & HAS_PARENT) === 0) return null;
  return { field: 'file parameters', found: 'a parent', expected: 'no parent' };
}

/** The row of a table, 32 bytes, that has this GUID; null: there is none. */
function vhdxEntry(
  read: ReadAt,
  at: number,
  { countAt, first }: { readonly countAt: number; readonly first: number },
  guid: string,
): Buffer | null {
  const head = read(at, first);
  if (head.length < first) return null;
  const count = Math.min(
    countAt === 10 ? head.readUInt16LE(countAt) : head.readUInt32LE(countAt),
    VHDX_ENTRIES_MAX,
  );
  const rows = read(at + first, count * 32);
  for (let row = 0; (row + 1) * 32 <= rows.length; row++) {
    const entry = rows.subarray(row * 32, row * 32 + 32);
    if (entry.toString('hex', 0, 16) === guid) return entry;
  }
  return null;
}

const quoted = (text: string): string => JSON.stringify(text.trim().slice(0, TEXT_MAX));
