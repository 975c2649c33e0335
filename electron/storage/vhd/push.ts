// What one image of a chain holds itself, written into an NBD export: of a differencing image only the sectors it has, so
// that the export ends up as different from its parent as the original from its own. Zeros stay zeros, also where the
// parent has data; in an image without parent they are left out, for an empty export reads as zeros already.
import type { NbdWriter } from '../nbd/client.ts';
import type { ForeignDisk } from './foreign-disk.ts';

const PIECE_BYTES = 256 * 1024;
/** Looked at in one question: what its answer may take of memory. */
const WINDOW_BYTES = 64 * 2 ** 20;
const EXTENTS_MAX = 10_000;
/** Between two words about how far it is. */
const TELL_BYTES = 8 * 2 ** 20;
const ZEROS = new Uint8Array(PIECE_BYTES);

/** Bytes of the sectors the image has. */
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

/** `image`: the one alone, without its parents. Faults: disk.full, disk.io, storage.unavailable. */
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
      // Pieces end where blocks do, so that each is in one.
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
