// Records the checksums of a frozen image (sums.ts). Units that no copy has summed on its way are read once,
// in the background, while their pages are still warm. Only sums are written, beside bitmaps that stay as
// they are; interrupted, the work is done again. The point's row says when its image has all sums: from then
// on a missing one is damage.
import type { PointId } from '../../../shared/ids.ts';
import { UNIT_BYTES } from '../vhd/geometry.ts';
import { addSums, type CopyPorts, unitRuns } from './copy.ts';
import { fileName } from './disk-files.ts';
import type { Image } from './image.ts';
import { readPage, writeSums } from './page.ts';
import { put } from './state.ts';
import { bitmapSum, isRecorded } from './sums.ts';

const CHUNK_UNITS = 64;

interface Recording {
  readonly image: Image;
  /** Nothing holds the point: whenever others were let in it may have been purged, and its file closed. */
  readonly isThere: () => boolean;
}

/** Runs to the end. False: stopped by `goOn`; the next run begins again. */
export async function runRecord(ports: CopyPorts, point: PointId): Promise<boolean> {
  const { files, tree } = ports;
  const image = files.image(fileName(point), point);
  const recording = { image, isThere: () => tree.point(point) !== undefined };
  const blocks = image.allocatedBlocks();
  const bytesTotal = blocks.length * image.blockBytes;
  let [sinceLook, batches, batchBytes] = [0, 0, ports.nextBatchBytes()];
  for (const [index, block] of blocks.entries()) {
    if (!recording.isThere()) break;
    sinceLook += await recordBlock(ports, recording, block);
    if (sinceLook < batchBytes) continue;
    [sinceLook, batchBytes] = [0, ports.nextBatchBytes()];
    const [blocksDone, blocksTotal] = [index + 1, blocks.length];
    const bytesDone = blocksDone * image.blockBytes;
    ports.progress({ phase: 'copy', blocksDone, blocksTotal, bytesDone, bytesTotal, batches: ++batches });
    if (!(await ports.goOn())) return false;
  }
  if (!recording.isThere()) return true;
  if (ports.off.recordSync !== true) await image.sync();
  const row = tree.point(point);
  if (row !== undefined) tree.commit([put('point', { ...row, sums: true })]);
  return true;
}

/** Answers how many bytes it read. */
async function recordBlock(ports: CopyPorts, { image, isThere }: Recording, block: number): Promise<number> {
  if (!image.hasSums(block)) return 0;
  const { sums, isMapLost } = readPage(image, block);
  // T12: in a root all units are here, whatever its bitmap on disk says.
  const units = image.units(block);
  if (isMapLost || isRecorded(sums, units)) return 0;
  const missing = units.map((here, unit) => (here !== 0 && sums.units[unit] === 0 ? 0xff : 0));
  let read = 0;
  for (const { first, count } of unitRuns(missing)) {
    for (let unit = first; unit < first + count; unit += CHUNK_UNITS) {
      const bytes = new Uint8Array(Math.min(CHUNK_UNITS, first + count - unit) * UNIT_BYTES);
      image.readData(block, unit * UNIT_BYTES, bytes);
      addSums(sums.units, { bytes, firstUnit: unit, firstOfBlock: block * image.unitsPerBlock });
      read += bytes.length;
      await ports.turn(bytes.length);
      if (!isThere()) return 0;
    }
  }
  writeSums(image, block, { bitmap: bitmapSum(units, block), units: sums.units });
  return read;
}
