// The 512-byte footer: codec only. Fields as in the specification; written copies carry creator "ebb ".
import { SECTOR_BYTES } from '../../../shared/units.ts';
import { checksum, corrupt, offsetText, readOffset, uuidBytes, uuidText, viewOf } from './fields.ts';
import { geometryOf } from './geometry.ts';

export const FOOTER_BYTES = 512;
const CHECKSUM_AT = 64;
const CREATOR = 'ebb ';
const FROZEN_VERSION = 0x00010000;
const LEAF_VERSION = 0x00010001;
/** Seconds from 1970 to 2000, the VHD epoch. */
const EPOCH_SECONDS = 946_684_800;
const KINDS = { 2: 'fixed', 3: 'dynamic', 4: 'differencing' } as const;

export type VhdKind = (typeof KINDS)[keyof typeof KINDS];

export interface Footer {
  readonly kind: VhdKind;
  readonly uuid: string;
  readonly currentBytes: number;
  readonly originalBytes: number;
  /** Where the dynamic header lies; NaN in a fixed disk. */
  readonly dataOffset: number;
  readonly timestampMs: number;
  /** True: a leaf of ours. Its creator version says so, so that headers alone tell where Now is (T5). */
  readonly isLeaf: boolean;
}

export function encodeFooter(footer: Footer): Uint8Array {
  const bytes = new Uint8Array(FOOTER_BYTES);
  const view = viewOf(bytes);
  bytes.set(Buffer.from('conectix'), 0);
  view.setUint32(8, 2);
  view.setUint32(12, 0x00010000);
  view.setBigUint64(16, footer.kind === 'fixed' ? 0xffffffffffffffffn : BigInt(footer.dataOffset));
  view.setUint32(24, Math.max(0, Math.floor(footer.timestampMs / 1000) - EPOCH_SECONDS));
  bytes.set(Buffer.from(CREATOR), 28);
  view.setUint32(32, footer.isLeaf ? LEAF_VERSION : FROZEN_VERSION);
  bytes.set(Buffer.from('Wi2k'), 36);
  view.setBigUint64(40, BigInt(footer.originalBytes));
  view.setBigUint64(48, BigInt(footer.currentBytes));
  const geometry = geometryOf(Math.floor(footer.currentBytes / SECTOR_BYTES));
  view.setUint16(56, geometry.cylinders);
  view.setUint8(58, geometry.heads);
  view.setUint8(59, geometry.sectorsPerTrack);
  view.setUint32(60, { fixed: 2, dynamic: 3, differencing: 4 }[footer.kind]);
  bytes.set(uuidBytes(footer.uuid), 68);
  view.setUint32(CHECKSUM_AT, checksum(bytes, CHECKSUM_AT));
  return bytes;
}

/** Throws Fault vhd.corrupt naming field, found and expected. `file` is for the message. */
export function decodeFooter(bytes: Uint8Array, file: string): Footer {
  const view = viewOf(bytes);
  if (bytes.length !== FOOTER_BYTES) throw corrupt(file, 'footer length', bytes.length, FOOTER_BYTES);
  const cookie = Buffer.from(bytes.subarray(0, 8)).toString('latin1');
  if (cookie !== 'conectix') throw corrupt(file, 'footer cookie', JSON.stringify(cookie), 'conectix');
  const sum = view.getUint32(CHECKSUM_AT);
  const own = checksum(bytes, CHECKSUM_AT);
  if (sum !== own) throw corrupt(file, 'footer checksum', sum, own);
  const version = view.getUint32(12);
  if (version >>> 16 !== 1) throw corrupt(file, 'footer version', version, '1.x');
  const kind = KINDS[view.getUint32(60) as keyof typeof KINDS];
  if (kind === undefined) throw corrupt(file, 'disk type', view.getUint32(60), '2, 3 or 4');
  const currentBytes = readOffset(view, 48);
  if (!(currentBytes > 0) || currentBytes % SECTOR_BYTES !== 0) {
    throw corrupt(file, 'current size', offsetText(view, 48), 'a positive multiple of 512 below 2^53');
  }
  return {
    kind,
    uuid: uuidText(bytes.subarray(68, 84)),
    currentBytes,
    originalBytes: readOffset(view, 40),
    dataOffset: readOffset(view, 16),
    timestampMs: (view.getUint32(24) + EPOCH_SECONDS) * 1000,
    isLeaf:
      Buffer.from(bytes.subarray(28, 32)).toString('latin1') === CREATOR &&
      view.getUint32(32) === LEAF_VERSION,
  };
}
