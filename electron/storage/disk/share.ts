// The two halves of a linked clone. `share`: the source copies the images a point reads through by reflink,
// in one tick. At any instant the files as they lie are right for every reader (T3, and T8 for a merge), so
// copies of all of them from one instant are. The copies get UUIDs of their own, also as each other's
// parents. From then on only the file system joins the two: blocks are shared until either side writes them.
// `adopt`: the other VM takes the copies as a disk of its own.
import { join } from 'node:path';
import type { DiskId, PointId } from '../../../shared/ids.ts';
import { Fault } from '../../../shared/result.ts';
import type { Folder } from '../../platform/ports.ts';
import { corrupt } from '../vhd/fields.ts';
import { Disk, type DiskContext } from './disk.ts';
import { type DiskFiles, fileName, putAway, syncFiles } from './disk-files.ts';
import { diskExists, noPoint } from './engine-faults.ts';
import { Image } from './image.ts';
import { type PointRow, put } from './state.ts';
import type { SwitchOffs } from './switch-offs.ts';

export interface SharingPorts {
  readonly context: DiskContext;
  readonly disks: Map<DiskId, Disk>;
  readonly serial: <T>(work: () => Promise<T>) => Promise<T>;
  readonly newPointId: () => PointId;
  readonly nowMs: () => number;
}
/** Makes an instant, independent copy, or throws a Fault. */
export type Reflink = (from: string, to: string) => void;
interface SharePorts {
  readonly newPointId: () => PointId;
  readonly nowMs: number;
  readonly reflink: Reflink;
  /** The point's size. */
  readonly sizeBytes: number;
  readonly off: SwitchOffs;
}

export class Sharing {
  readonly #ports: SharingPorts;

  constructor(ports: SharingPorts) {
    this.#ports = ports;
  }

  /**
   * Copies of what a point reads through, in a folder of another VM; newest first. Fault host.unsupported.
   */
  share(pointId: PointId, target: Folder, reflink: Reflink): Promise<PointId[]> {
    const { context, disks, serial, newPointId, nowMs } = this.#ports;
    return serial(async () => {
      const disk = disks.get(context.tree.point(pointId)?.diskId ?? ('' as DiskId));
      if (disk === undefined) throw noPoint(pointId);
      const sizeBytes = disk.sizeOf(pointId);
      const { off } = context;
      return shareChain(disk.files, pointId, target, { newPointId, nowMs: nowMs(), reflink, sizeBytes, off });
    });
  }

  /** Makes a disk of such copies, which lie in the disk's own folder. */
  adopt(diskId: DiskId, images: readonly PointId[]): Promise<void> {
    const { context, disks, serial, newPointId, nowMs } = this.#ports;
    return serial(async () => {
      disks.set(diskId, await adoptDisk(context, diskId, images, { newPointId, nowMs: nowMs() }));
      context.wrote();
    });
  }
}

/**
 * Copies, newest first, the last a root. They are whole in `target`, but no row knows them: the folder is
 * synced before the transaction that makes them known. Where it fails no copy is left.
 */
async function shareChain(
  files: DiskFiles,
  point: PointId,
  target: Folder,
  { newPointId, nowMs, reflink, sizeBytes, off }: SharePorts,
): Promise<PointId[]> {
  // What is not on the disk yet is written now, so that the tick of the reflinks is short.
  await syncFiles(
    files.folder,
    files.layersOf(point).map(({ image }) => files.nameOf(image)),
    name => files.syncFailed(name),
  );
  const layers = files.layersOf(point).map(({ image }) => image);
  // Refuses also a root that is still to become as small as the point.
  if (layers.some(({ virtualBytes }) => virtualBytes !== sizeBytes)) throw unequal();
  const ids = layers.map(() => newPointId());
  try {
    for (const [index, image] of layers.entries())
      reflink(
        join(files.folder.path, files.nameOf(image)),
        join(target.path, fileName(ids[index] as PointId)),
      );
    for (const [index, id] of ids.entries()) await rename(target, id, ids[index + 1] ?? null, { nowMs, off });
    return ids;
  } catch (cause) {
    await putAway(target, ids.map(fileName));
    throw cause;
  }
}

/** T4: readers see zeros behind the end of a smaller image; the copies alone would not say so. */
const unequal = (): Fault =>
  new Fault({
    code: 'host.unsupported',
    what: 'This disk has grown, and the images this point is read through are not all of one size.',
    safe: 'Nothing was created.',
    todo: 'Clone it without --linked: it is copied in full.',
  });

async function rename(
  folder: Folder,
  uuid: PointId,
  parent: PointId | null,
  { nowMs, off }: Pick<SharePorts, 'nowMs' | 'off'>,
): Promise<void> {
  const file = folder.open(fileName(uuid), 'existing');
  try {
    const image = Image.open(file, null);
    image.become({
      uuid,
      parent: parent === null ? null : { uuid: parent, name: fileName(parent) },
      timestampMs: nowMs,
    });
    image.markLeaf(false);
    image.writeEndFooter();
    if (off.shareSync !== true) await image.sync();
  } finally {
    file.close();
  }
}

/**
 * Makes a disk whose points have no moment: settling merges them into one. Faults: disk.in-use, vhd.corrupt,
 * vhd.parent-missing.
 */
async function adoptDisk(
  context: DiskContext,
  diskId: DiskId,
  images: readonly PointId[],
  { newPointId, nowMs }: Pick<SharePorts, 'newPointId' | 'nowMs'>,
): Promise<Disk> {
  const { tree } = context;
  if (tree.disk(diskId) !== undefined) throw diskExists(diskId);
  const folder = context.diskFolder(diskId);
  const shape = checkChain(folder, images);
  const row = { id: diskId, ...shape, leaf: newPointId(), leafParent: images[0] ?? null };
  const points = images.map(
    (id, index): PointRow => ({
      id,
      diskId,
      momentId: null,
      parent: images[index + 1] ?? null,
      sums: false,
      origin: null,
    }),
  );
  await Disk.create(row, context, {
    nowMs,
    record: () => tree.commit([put('disk', row), ...points.map(point => put('point', point))]),
  });
  return Disk.open(row, context);
}

/** Each image hangs off the next, all are of one shape, and the last is a root. */
function checkChain(
  folder: Folder,
  images: readonly PointId[],
): { readonly virtualBytes: number; readonly blockBytes: number } {
  let shape: { readonly virtualBytes: number; readonly blockBytes: number } | null = null;
  for (const [index, id] of images.entries()) {
    const file = folder.open(fileName(id), 'read-only');
    try {
      const { virtualBytes, blockBytes, parent } = Image.open(file, id);
      const expected = images[index + 1] ?? null;
      if ((parent?.uuid ?? null) !== expected)
        throw corrupt(file.name, 'parent UUID', parent?.uuid ?? 'none', expected ?? 'none');
      shape ??= { virtualBytes, blockBytes };
      if (virtualBytes !== shape.virtualBytes)
        throw corrupt(file.name, 'current size', virtualBytes, shape.virtualBytes);
      if (blockBytes !== shape.blockBytes)
        throw corrupt(file.name, 'block size', blockBytes, shape.blockBytes);
    } finally {
      file.close();
    }
  }
  if (shape !== null) return shape;
  throw new Fault({
    code: 'disk.not-found',
    what: 'A disk of no image was to be taken over.',
    safe: 'Nothing was created.',
    todo: 'Try again.',
  });
}
