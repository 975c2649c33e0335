// A point that was made elsewhere is added to a tree of ours: a new image, filled through an export of its
// own while no row makes it a point; then one transaction does. Until then its record says only that its
// files are to go (T14: a full disk, a death of storage or a change of mind leaves nothing). Its parent stays
// as it is, whatever is settled meanwhile: the header names a point, not a role (T1).
import type { DiskId, MomentId, PointId } from '../../../shared/ids.ts';
import { Fault } from '../../../shared/result.ts';
import type { Volume } from '../volume.ts';
import { type Disk, makeLeaf } from './disk.ts';
import { fileName, partFileName, putAway } from './disk-files.ts';
import { NowVolume } from './disk-volume.ts';
import { isUncertain, noPoint, POINTS_MAX } from './engine-faults.ts';
import { View } from './layers.ts';
import { Leaf } from './leaf.ts';
import { type Change, drop, type GraftOp, type MomentRow, put } from './state.ts';
import type { SwitchOffs } from './switch-offs.ts';
import type { Tree } from './tree.ts';

/** Grafts under way at a time, in one VM. */
const GRAFTS_MAX = 4;

export interface GraftPorts {
  readonly tree: Tree;
  readonly disks: ReadonlyMap<DiskId, Disk>;
  readonly off: SwitchOffs;
  readonly serial: <T>(work: () => Promise<T>) => Promise<T>;
  readonly newPointId: () => PointId;
  readonly nowMs: () => number;
  readonly newMoment: (given: GraftedMoment, parentId: MomentId | null) => MomentRow;
  /** Drops and unlinks what `stale` lists. */
  readonly sweep: () => Promise<void>;
  /** A point came to be. */
  readonly grown: () => void;
}

export interface GraftedMoment {
  readonly name: string;
  readonly note: string;
  readonly kind: 'imported';
}

interface Growing {
  readonly op: GraftOp;
  readonly images: readonly GrowingImage[];
}
interface GrowingImage {
  readonly disk: Disk;
  readonly leaf: Leaf;
  readonly view: View;
}

export class Grafts {
  readonly #ports: GraftPorts;
  readonly #growing = new Map<PointId, Growing>();

  constructor(ports: GraftPorts) {
    this.#ports = ports;
  }

  /** Makes an empty image on the point, to be filled through `volume`, and on its moment's other disks. */
  begin(parent: PointId): Promise<{ readonly id: PointId; readonly volume: Volume }> {
    const { tree, serial, newPointId } = this.#ports;
    return serial(async () => {
      const momentId = tree.point(parent)?.momentId ?? null;
      const moment = momentId === null ? undefined : tree.moment(momentId);
      if (moment === undefined || moment.trashedAt !== null) throw noPoint(parent);
      const parents = tree
        .pointsOf(moment.id)
        .sort((a, b) => Number(b.id === parent) - Number(a.id === parent));
      if (this.#growing.size >= GRAFTS_MAX || tree.points.length + parents.length > POINTS_MAX)
        throw new Fault(tooMany());
      const images = parents.map(({ id, diskId }) => ({ diskId, point: newPointId(), parent: id }));
      const id = images[0]?.point ?? parent;
      const op: GraftOp = { kind: 'graft', id: `graft-${id}`, images };
      const growing = await this.#make(op);
      this.#growing.set(id, growing);
      return { id, volume: volumeOf(growing.images[0]) };
    });
  }

  async #make(op: GraftOp): Promise<Growing> {
    const { tree, disks, nowMs, off } = this.#ports;
    const images: GrowingImage[] = [];
    try {
      for (const { diskId, point, parent } of op.images) {
        const disk = disks.get(diskId);
        if (disk === undefined) throw noPoint(parent);
        const { files } = disk;
        const name = partFileName(point);
        const virtualBytes = disk.sizeOf(parent);
        const row = { ...files.row, virtualBytes, leaf: point, leafParent: parent };
        const image = makeLeaf(row, files.folder, { nowMs: nowMs(), name });
        const view = new View(() => [
          { image, endBytes: virtualBytes },
          ...files.layersOf(parent, virtualBytes),
        ]);
        images.push({ disk, leaf: new Leaf(image, files.folder, null, off), view });
        files.grafted.add(view);
      }
      // Recorded before the first byte: from here on the next opener knows what these files are.
      if (off.graftRecord !== true) tree.commit([put('op', op)]);
      return { op, images };
    } catch (cause) {
      for (const image of images) close(image);
      for (const { diskId, point } of op.images) {
        const folder = disks.get(diskId)?.files.folder;
        if (folder !== undefined && !isUncertain(cause)) await putAway(folder, [partFileName(point)]);
      }
      throw cause;
    }
  }

  /**
   * Makes the images durable, then children of the points they are on. Nobody writes to `volume` any more.
   */
  commit(
    id: PointId,
    given: { readonly name: string; readonly note: string; readonly origin: string },
  ): Promise<MomentId> {
    const { tree, serial, newMoment, off, grown } = this.#ports;
    return serial(async () => {
      const growing = this.#growing.get(id);
      if (growing === undefined) throw noPoint(id);
      const { op, images } = growing;
      for (const { disk, leaf } of images) {
        const { folder } = disk.files;
        const point = leaf.image.uuid as PointId;
        if (off.graftSeal !== true) await leaf.seal();
        folder.rename(partFileName(point), fileName(point));
        if (off.graftFolderSync !== true) await folder.sync();
      }
      const parentMoment = tree.point(op.images[0]?.parent ?? id)?.momentId ?? null;
      const { name, note, origin } = given;
      const moment = newMoment({ name, note, kind: 'imported' }, parentMoment);
      const points = op.images.map(({ diskId, point, parent }, index) =>
        put('point', {
          id: point,
          virtualBytes: images[index]?.leaf.image.virtualBytes,
          diskId,
          momentId: moment.id,
          parent,
          sums: false,
          origin: point === id ? origin : null,
        }),
      );
      try {
        tree.commit([drop('op', op.id), put('moment', moment), ...points]);
      } catch (cause) {
        // The transaction may have happened: a later discard must not take the files.
        if (isUncertain(cause)) this.#growing.delete(id);
        throw cause;
      }
      this.#growing.delete(id);
      for (const { disk, leaf, view } of images) {
        disk.files.grafted.delete(view);
        disk.files.register(fileName(leaf.image.uuid as PointId), leaf.image);
      }
      grown();
      return moment.id;
    });
  }

  /** Drops a graft with its files; null: all of them. An unknown one is gone already. */
  discard(id: PointId | null): Promise<void> {
    return this.#ports.serial(async () => {
      for (const [grown, { images }] of this.#growing) {
        if (id !== null && grown !== id) continue;
        this.#growing.delete(grown);
        for (const image of images) await discarded(image);
      }
      await this.#ports.sweep();
    });
  }

  /** Drops recorded grafts that nobody fills any more, and puts their files in the unlink list. */
  stale(): Change[] {
    return this.#ports.tree.grafts
      .filter(({ images }) => !images.some(({ point }) => this.#growing.has(point)))
      .flatMap(({ id, images }) => [
        drop('op', id),
        ...images.map(({ point, diskId }) => put('unlink', { id: point, diskId })),
      ]);
  }

  /** Grafts that were not committed go when the folder is opened again. */
  close(): void {
    for (const { images } of this.#growing.values()) for (const image of images) close(image);
    this.#growing.clear();
  }
}

function close({ disk, leaf, view }: GrowingImage): void {
  disk.files.grafted.delete(view);
  leaf.image.close();
}

/**
 * T14: the files go before the transaction that forgets the graft, for which a full disk may have no room.
 */
async function discarded(image: GrowingImage): Promise<void> {
  close(image);
  const id = image.leaf.image.uuid as PointId;
  await putAway(image.disk.files.folder, [partFileName(id), fileName(id)]);
}

function volumeOf(growing: GrowingImage | undefined): Volume {
  if (growing === undefined) throw new Error('a graft without an image');
  const { disk, leaf, view } = growing;
  const { virtualBytes } = leaf.image;
  const { blockBytes } = disk.files.row;
  return new NowVolume({
    sizeBytes: () => virtualBytes,
    blockBytes,
    view,
    readers: disk.files.readers,
    leaf: () => leaf,
    flush: () => leaf.flush(),
    requireSound: () => undefined,
    wrote: () => undefined,
  });
}

const tooMany = () => ({
  code: 'limit.reached' as const,
  what: `This VM has ${POINTS_MAX} points, or ${GRAFTS_MAX} imports into its history are under way.`,
  safe: 'Nothing was changed.',
  todo: 'Wait for an import to end, or delete some points.',
});
