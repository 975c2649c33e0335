// What footer and header share: big-endian access, the checksum, UUID text and the faults of a bad image.
import { Fault } from '../../../shared/result.ts';

export const viewOf = (bytes: Uint8Array): DataView =>
  new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);

/** One's complement of the byte sum, the checksum field itself counted as zero. */
export function checksum(bytes: Uint8Array, fieldOffset: number): number {
  let sum = 0;
  for (let index = 0; index < bytes.length; index++) {
    if (index < fieldOffset || index >= fieldOffset + 4) sum += bytes[index] ?? 0;
  }
  return ~sum >>> 0;
}

export function uuidText(bytes: Uint8Array): string {
  const hex = Buffer.from(bytes).toString('hex');
  return `${hex.slice(0, 8)}-${hex.slice(8, 12)}-${hex.slice(12, 16)}-${hex.slice(16, 20)}-${hex.slice(20)}`;
}

export const uuidBytes = (text: string): Uint8Array => Buffer.from(text.replaceAll('-', ''), 'hex');

/** Offsets above 2^53 cannot be real; they become NaN and fail every comparison. */
export function readOffset(view: DataView, at: number): number {
  const value = view.getBigUint64(at);
  return value <= BigInt(Number.MAX_SAFE_INTEGER) ? Number(value) : Number.NaN;
}

/** The field as it stands in the file, for messages: it may be far beyond 2^53. */
export const offsetText = (view: DataView, at: number): string => view.getBigUint64(at).toString();

/** A field that is not as it must be: named, with what was found and what was expected. */
export function corrupt(
  file: string,
  field: string,
  found: string | number,
  expected: string | number,
): Fault {
  return new Fault({
    code: 'vhd.corrupt',
    what: `VHD ${file}: ${field} is ${found}, expected ${expected}.`,
    safe: 'The file was not changed.',
    todo: 'It may be truncated or damaged; use another copy.',
    data: { file, field, found, expected },
  });
}

/** For a file in a tree of ours that is of a kind no tree can hold. */
export const unsupported = (file: string, what: string): Fault =>
  new Fault({
    code: 'vhd.unsupported',
    what: `VHD ${file} is ${what}.`,
    safe: 'The file was not changed.',
    todo: 'Import it as a new VM instead.',
  });
