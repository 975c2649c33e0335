// Gives an exported image of a point the point's UUID in place of the one its writer made up (T1). So a
// differencing image that is made on it elsewhere names its parent rightly when it comes back.
import type { BlockFile } from '../../platform/ports.ts';
import { checksum, uuidBytes, viewOf } from './fields.ts';
import { decodeFooter, FOOTER_BYTES } from './footer.ts';

const CHECKSUM_AT = 64;
const UUID_AT = 68;

/** Changes the UUID alone. Faults: vhd.corrupt, disk.io. */
export function stampUuid(file: BlockFile, uuid: string): void {
  const end = file.sizeBytes() - FOOTER_BYTES;
  const bytes = new Uint8Array(FOOTER_BYTES);
  file.read(bytes, end);
  const { kind } = decodeFooter(bytes, file.name);
  bytes.set(uuidBytes(uuid), UUID_AT);
  viewOf(bytes).setUint32(CHECKSUM_AT, checksum(bytes, CHECKSUM_AT));
  file.write(bytes, end);
  if (kind !== 'fixed') file.write(bytes, 0);
}
