// Writes what one image of a chain holds itself into an NBD export. Of a differencing image only the sectors
// it has are written, so that the export differs from its parent as the original did from its own. Its zeros
// are written, since the parent may have data there; those of an image without parent are left out, since an
// empty export reads as zeros.
import type { NbdWriter } from '../nbd/client.ts';
import type { ForeignDisk } from './foreign-disk.ts';

const PIECE_BYTES = 256 * 1024;
/** How much one question about extents covers: this bounds the memory its answer takes. */
const WINDOW_BYTES = 64 * 2 ** 20;
const EXTENTS_MAX = 10_000;
/** Bytes between two lines of progress. */
const TELL_BYTES = 8 * 2 ** 20;
const ZEROS = new Uint8Array(PIECE_BYTES);

/** Bytes of the sectors that the image has itself. */
export function ownBytes(image: ForeignDisk): number {
  let bytes = 0;
  for (const { length } of ownRuns(image)) bytes += length;
  return bytes;
}

function* ownRuns(image: ForeignDisk): Generator<{ readonly offset: number; readonly length: number }> {
  for (let at = 0; at < image.sizeBytes; ) {
    const length = Math.min(WINDOW_BYTES, image.sizeBytes - at);
    for (const extent of image.extents(at, length, EXTENTS_MAX)) {
      if (extent.state === 'data') yield { offset: at, length: extent.length };
      at += extent.length;
    }
  }
}

/** `image`: one image alone, without its parents. Faults: disk.full, disk.io, storage.unavailable. */
export async function pushImage(
  image: ForeignDisk,
  hasParent: boolean,
  to: NbdWriter,
  tell: (pushedBytes: number) => void,
): Promise<void> {
  let [pushed, told] = [0, 0];
  for (const { offset, length } of ownRuns(image)) {
    for (let done = 0; done < length; ) {
      const at = offset + done;
      // Pieces end where blocks end, so that each lies in one block.
      const count = Math.min(PIECE_BYTES - (at % PIECE_BYTES), length - done);
      const bytes = new Uint8Array(count);
      image.read(bytes, at);
      if (Buffer.compare(bytes, ZEROS.subarray(0, count)) !== 0) await to.write(bytes, at);
      else if (hasParent) await to.zero(at, count);
      done += count;
      pushed += count;
      if (pushed - told < TELL_BYTES) continue;
      told = pushed;
      tell(pushed);
    }
  }
  await to.finish();
  tell(pushed);
}
