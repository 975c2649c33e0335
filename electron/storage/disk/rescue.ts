// Makes a new timeline.db, from the headers of the VHD files, for a VM folder whose own is gone or ruined
// (T5). No image is changed or deleted; the old database is put aside. What an interrupted operation left
// half-done is recorded as that operation, so that the next opening finishes it.
import { join } from 'node:path';
import {
  type DiskId,
  diskIdSchema,
  momentIdSchema,
  type PointId,
  pointIdSchema,
} from '../../../shared/ids.ts';
import { Fault } from '../../../shared/result.ts';
import type { Rescued } from '../../../shared/timeline.ts';
import type { Folder, Random } from '../../platform/ports.ts';
import { Disk } from './disk.ts';
import { syncFiles } from './disk-files.ts';
import { Doubt } from './doubt.ts';
import { Image } from './image.ts';
import { type Mirror, readMirror } from './mirror.ts';
import { type FoundImage, isImageName, type RebuiltDisk, rebuildDisk } from './rebuild.ts';
import { rebuildRows } from './rebuild-rows.ts';
import { runFileNames } from './run-file.ts';
import type { Change } from './state.ts';
import type { SwitchOffs } from './switch-offs.ts';

export interface RescuePorts {
  /** Names in `<folder>/disks`, one per disk. */
  readonly diskNames: readonly string[];
  readonly diskFolder: (name: string) => Folder;
  readonly mirrorJson: unknown;
  readonly random: Random;
  readonly nowMs: number;
  readonly bootId: string;
  readonly off: SwitchOffs;
}

/**
 * Reads headers and BATs; writes at most an empty leaf where one was lost. Faults: vhd.corrupt (no disk has a
 * root), disk.full, disk.io.
 */
export async function rescueRows(
  ports: RescuePorts,
): Promise<Rescued & { readonly changes: readonly Change[] }> {
  const mirror = readMirror(ports.mirrorJson);
  const notes: string[] = [];
  const disks = new Map<DiskId, RebuiltDisk & { leaf: PointId }>();
  const startedMs = new Map<PointId, number>();
  for (const name of ports.diskNames) {
    const diskId = diskIdSchema.safeParse(name);
    if (!diskId.success) continue;
    const images = await readDurably(ports, name, notes);
    for (const { uuid, timestampMs } of images) startedMs.set(uuid, timestampMs);
    const rebuilt = rebuildDisk(diskId.data, images, rememberedOf(diskId.data, mirror));
    if (rebuilt === null) {
      notes.push(`Disk ${name} has no image that is whole by itself; its files were left as they are.`);
      continue;
    }
    for (const file of rebuilt.unattached)
      notes.push(`${join(name, file)} hangs off a file that is not there; it was left as it is.`);
    const leaf = rebuilt.leaf ?? (await makeLeaf(diskId.data, rebuilt, ports));
    disks.set(diskId.data, { ...rebuilt, leaf });
  }
  if (disks.size === 0) throw nothingWhole(notes);
  const newMomentId = () => momentIdSchema.parse(ports.random.uuid());
  const rows = rebuildRows(disks, mirror, {
    newMomentId,
    startedMs: (_, point) => startedMs.get(point) ?? ports.nowMs,
  });
  return { ...rows, notes: notes.map(note => note.slice(0, 2000)).slice(0, 1000) };
}

/** T14: after a failed sync reads what the disk has. T11: syncs it, or a power cut could take it back. */
async function readDurably(
  { diskFolder, bootId, off }: RescuePorts,
  disk: string,
  notes: string[],
): Promise<FoundImage[]> {
  const folder = diskFolder(disk);
  const doubt = new Doubt(folder, bootId, off);
  await doubt.begin();
  let isSound = false;
  try {
    const images = readImages(folder, disk, notes);
    const names = images.map(({ name }) => name);
    if (off.rescueSync !== true) {
      await syncFiles(folder, names, () => doubt.raise());
      await folder.sync();
    }
    isSound = true;
    return images;
  } finally {
    await doubt.close(isSound);
  }
}

const rememberedOf = (diskId: DiskId, { disks, points }: Mirror) => ({
  leaf: disks.find(({ id }) => id === diskId)?.leaf ?? null,
  points: new Set(points.filter(point => point.diskId === diskId).map(({ id }) => id)),
});

export function readImages(folder: Folder, disk: string, notes: string[]): FoundImage[] {
  const images: FoundImage[] = [];
  for (const name of folder.list().filter(isImageName)) {
    const file = folder.open(name, 'read-only');
    try {
      images.push(found(folder, name, Image.open(file, null)));
    } catch (cause) {
      if (!(cause instanceof Fault)) throw cause;
      // T4: without a backward delta that cannot be read now, its point would read as other content.
      if (cause.body.code === 'disk.io') throw unread(join(disk, name), cause);
      notes.push(`${join(disk, name)} cannot be used: ${cause.body.what}`);
    } finally {
      file.close();
    }
  }
  return images;
}

function found(folder: Folder, name: string, image: Image): FoundImage {
  const uuid = pointIdSchema.parse(image.uuid);
  return {
    name,
    uuid,
    parent: image.parent === null ? null : pointIdSchema.parse(image.parent.uuid),
    virtualBytes: image.virtualBytes,
    blockBytes: image.blockBytes,
    timestampMs: image.timestampMs,
    isLeaf: image.isLeaf,
    hasEnd: image.hasEndFooter(),
    isEmpty: !image.bat.some((_, block) => image.has(block)),
    hasRunFile: runFileNames(uuid).some(run => folder.exists(run)),
  };
}

/** Now begins anew on its old parent; what was written since is lost with its file. */
async function makeLeaf(id: DiskId, disk: RebuiltDisk, ports: RescuePorts): Promise<PointId> {
  const leaf = pointIdSchema.parse(ports.random.uuid());
  const { virtualBytes, blockBytes, leafParent } = disk;
  await Disk.create({ id, leaf, virtualBytes, blockBytes, leafParent }, ports, { nowMs: ports.nowMs });
  return leaf;
}

const unread = (name: string, cause: Fault): Fault =>
  new Fault(
    {
      ...cause.body,
      safe: 'Nothing was changed.',
      todo: `Try again. Where its disk cannot read ${name} any more, put a copy of it back, or move it out of the folder.`,
    },
    cause,
  );

const nothingWhole = (notes: readonly string[]): Fault =>
  new Fault({
    code: 'vhd.corrupt',
    what: `No disk image in this folder is whole. ${notes.join(' ')}`.slice(0, 2000),
    safe: 'Nothing was changed.',
    todo: 'Put a copy of the files back, then try again.',
  });
