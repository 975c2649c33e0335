// The 1024-byte dynamic header with its parent locators: codec only. Locators W2ku and W2ru, both relative
// (".\name"), lengths in bytes (T12).
import { SECTOR_BYTES } from '../../../shared/units.ts';
import { checksum, corrupt, offsetText, readOffset, uuidBytes, uuidText, viewOf } from './fields.ts';

export const HEADER_BYTES = 1024;
const CHECKSUM_AT = 36;
const NIL = '00000000-0000-0000-0000-000000000000';
export const LOCATORS_AT = 576;
export const LOCATOR_BYTES = 24;
const W2KU = 0x57326b75;
const W2RU = 0x57327275;
/** Bytes for a locator: `.\<uuid>.vhd` in UTF-16 is 84 bytes, so one sector holds it. */
export const LOCATOR_SPACE = SECTOR_BYTES;

export interface Header {
  readonly batOffset: number;
  readonly batEntries: number;
  readonly blockBytes: number;
  /** Null in a disk without parent. */
  readonly parent: { readonly uuid: string; readonly name: string } | null;
}

const utf16 = (text: string, bigEndian: boolean): Buffer => {
  const bytes = Buffer.from(text, 'utf16le');
  return bigEndian ? bytes.swap16() : bytes;
};

/** The text up to its closing zero. */
export function utf16Text(bytes: Uint8Array, bigEndian: boolean): string {
  const copy = Buffer.from(bytes.subarray(0, bytes.length - (bytes.length % 2)));
  return (bigEndian ? copy.swap16() : copy).toString('utf16le').replace(/\0.*$/s, '');
}

/** The text both locators point at. */
export function locatorBytes(parentName: string): Uint8Array {
  const bytes = new Uint8Array(LOCATOR_SPACE);
  bytes.set(utf16(`.\\${parentName}`, false));
  return bytes;
}

export function encodeHeader(header: Header, locatorsAt: number): Uint8Array {
  const bytes = new Uint8Array(HEADER_BYTES);
  const view = viewOf(bytes);
  bytes.set(Buffer.from('cxsparse'), 0);
  view.setBigUint64(8, 0xffffffffffffffffn);
  view.setBigUint64(16, BigInt(header.batOffset));
  view.setUint32(24, 0x00010000);
  view.setUint32(28, header.batEntries);
  view.setUint32(32, header.blockBytes);
  if (header.parent !== null) {
    bytes.set(uuidBytes(header.parent.uuid), 40);
    bytes.set(utf16(header.parent.name, true), 64);
    const length = utf16(`.\\${header.parent.name}`, false).length;
    [W2KU, W2RU].forEach((code, index) => {
      const at = LOCATORS_AT + index * LOCATOR_BYTES;
      view.setUint32(at, code);
      view.setUint32(at + 4, LOCATOR_SPACE);
      view.setUint32(at + 8, length);
      view.setBigUint64(at + 16, BigInt(locatorsAt + index * LOCATOR_SPACE));
    });
  }
  view.setUint32(CHECKSUM_AT, checksum(bytes, CHECKSUM_AT));
  return bytes;
}

function decodeParent(bytes: Uint8Array, file: string): NonNullable<Header['parent']> {
  const uuid = uuidText(bytes.subarray(40, 56));
  if (uuid === NIL) throw corrupt(file, 'parent UUID', NIL, 'the UUID of a parent');
  return { uuid, name: utf16Text(bytes.subarray(64, 576), true) };
}

/** For our own files, whose parent is a plainly named neighbour. Throws Fault vhd.corrupt. */
export function decodeHeader(bytes: Uint8Array, file: string, differencing: boolean): Header {
  const header = decodeForeignHeader(bytes, file, differencing);
  const name = header.parent?.name ?? 'none';
  // A name that leads out of the folder is an attack on whoever follows it.
  if (name === '' || /[/\\:]/.test(name))
    throw corrupt(file, 'parent name', JSON.stringify(name), 'a plain file name');
  return header;
}

/** For anybody's files: the parent's name is only text, which locators.ts alone may follow. */
export function decodeForeignHeader(bytes: Uint8Array, file: string, differencing: boolean): Header {
  const view = viewOf(bytes);
  const cookie = Buffer.from(bytes.subarray(0, 8)).toString('latin1');
  if (cookie !== 'cxsparse') throw corrupt(file, 'header cookie', JSON.stringify(cookie), 'cxsparse');
  const sum = view.getUint32(CHECKSUM_AT);
  const own = checksum(bytes, CHECKSUM_AT);
  if (sum !== own) throw corrupt(file, 'header checksum', sum, own);
  const blockBytes = view.getUint32(32);
  const isPowerOfTwo = blockBytes > 0 && (blockBytes & (blockBytes - 1)) === 0;
  if (!isPowerOfTwo || blockBytes < 4096 || blockBytes > 256 * 2 ** 20) {
    throw corrupt(file, 'block size', blockBytes, 'a power of two from 4096 to 256 MiB');
  }
  const batOffset = readOffset(view, 16);
  if (!(batOffset >= 1536) || batOffset % SECTOR_BYTES !== 0)
    throw corrupt(file, 'BAT offset', offsetText(view, 16), '≥ 1536, whole sectors');
  const batEntries = view.getUint32(28);
  if (batEntries === 0 || batEntries > 2 ** 22) throw corrupt(file, 'BAT entries', batEntries, '1 … 4194304');
  const parent = differencing ? decodeParent(bytes, file) : null;
  return { batOffset, batEntries, blockBytes, parent };
}
