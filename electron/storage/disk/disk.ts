// One disk: its files, its leaf and its Now volume. Decides nothing about the tree; engine.ts does.
import type { DiskId, PointId } from '../../../shared/ids.ts';
import { Fault, invariant } from '../../../shared/result.ts';
import type { BlockFile, Folder } from '../../platform/ports.ts';
import { VIRTUAL_BYTES_MAX } from '../vhd/geometry.ts';
import { DiskFiles, fileName, newFileName, putAway } from './disk-files.ts';
import { NowVolume } from './disk-volume.ts';
import { Doubt } from './doubt.ts';
import { isUncertain } from './engine-faults.ts';
import { Image } from './image.ts';
import { BAT_AT, emptyImageBytes, poisoned } from './image-head.ts';
import { Leaf } from './leaf.ts';
import { isRunFileName, runFileNames } from './run-file.ts';
import { type DiskRow, drop, type SealOp } from './state.ts';
import type { SwitchOffs } from './switch-offs.ts';
import type { Tree } from './tree.ts';

export interface DiskContext {
  readonly tree: Tree;
  readonly diskFolder: (diskId: DiskId) => Folder;
  readonly bootId: string;
  readonly off: SwitchOffs;
  readonly wrote: () => void;
}

/** A new leaf is headers and a BAT; room for these must be free, and this much to spare (T14). */
const LEAF_SPARE_BYTES = 1024 * 1024;

type NewLeaf = Pick<DiskRow, 'virtualBytes' | 'blockBytes' | 'leaf' | 'leafParent'>;

/** Makes a leaf's headers. Not durable yet, and no row knows of the file. */
export function makeLeaf(
  row: NewLeaf,
  folder: Folder,
  { nowMs, name = fileName(row.leaf) }: { readonly nowMs: number; readonly name?: string },
): Image {
  const { leaf, leafParent: parent } = row;
  const needs = LEAF_SPARE_BYTES + Math.ceil(row.virtualBytes / row.blockBytes) * 4;
  const free = folder.freeBytes();
  if (free < needs) {
    throw new Fault({
      code: 'disk.full',
      what: `A new image needs ${needs} bytes; ${free} are free.`,
      safe: 'Nothing was changed; the VM goes on.',
      todo: 'Free some space, then try again.',
      data: { needs, free },
    });
  }
  const file = folder.open(name, 'create');
  try {
    return Image.create(file, {
      uuid: leaf,
      virtualBytes: row.virtualBytes,
      blockBytes: row.blockBytes,
      parent: parent === null ? null : { uuid: parent, name: fileName(parent) },
      timestampMs: nowMs,
      isLeaf: true,
    });
  } catch (cause) {
    file.close();
    throw cause;
  }
}

export class Disk {
  readonly id: DiskId;
  readonly files: DiskFiles;
  readonly volume: NowVolume;
  readonly #context: DiskContext;
  #leaf: Leaf;
  /** The leaf from before a take, until it is sealed (T6). */
  #sealing: Leaf | null = null;
  /** Made before the transaction that will use it, so that nothing can fail between the two (T14). */
  #prepared: Leaf | null = null;

  private constructor(row: DiskRow, files: DiskFiles, context: DiskContext) {
    this.id = row.id;
    this.files = files;
    this.#context = context;
    this.#leaf = this.#openLeaf(row.leaf);
    this.files.leaves = [this.#leaf.image];
    this.files.resetViews();
    this.volume = new NowVolume({
      sizeBytes: () => this.virtualBytes,
      blockBytes: row.blockBytes,
      view: files.now,
      readers: files.readers,
      leaf: () => this.#leaf,
      flush: () => this.flush(),
      requireSound: () => this.requireSound(),
      wrote: context.wrote,
    });
  }

  /**
   * Makes a leaf, whole and durable before `record` makes it known. Where that fails its file is unlinked.
   */
  static async create(
    row: NewLeaf & Pick<DiskRow, 'id'>,
    { diskFolder, off }: Pick<DiskContext, 'diskFolder' | 'off'>,
    { nowMs, record }: { readonly nowMs: number; readonly record?: () => void },
  ): Promise<void> {
    const folder = diskFolder(row.id);
    let image: Image | null = null;
    try {
      image = makeLeaf(row, folder, { nowMs });
      if (off.createSync !== true) await image.sync();
      if (off.createFolderSync !== true) await folder.sync();
      record?.();
    } catch (cause) {
      if (!isUncertain(cause)) await putAway(folder, [fileName(row.leaf)]);
      throw cause;
    } finally {
      image?.close();
    }
  }

  /** T11: run files of this boot are replayed and flushed before anyone reads. */
  static async open(row: DiskRow, context: DiskContext): Promise<Disk> {
    const folder = context.diskFolder(row.id);
    const doubt = new Doubt(folder, context.bootId, context.off);
    await doubt.begin();
    try {
      return await Disk.#opened(row, context, doubt);
    } catch (cause) {
      await doubt.close(false);
      throw cause;
    }
  }

  static async #opened(row: DiskRow, context: DiskContext, doubt: Doubt): Promise<Disk> {
    const folder = context.diskFolder(row.id);
    await dropOrphans(row, folder, context);
    const disk = new Disk(row, new DiskFiles(row, folder, context.tree, doubt), context);
    const taking = context.tree.ops.find(op => op.kind === 'take');
    const next = taking?.leaves.find(leaf => leaf.diskId === row.id);
    if (next !== undefined) disk.switchLeaf(next.leaf);
    await disk.#sealing?.flush();
    await disk.#leaf.flush();
    for (const op of context.tree.sealsOf(row.id)) await disk.#sealLeftOver(op);
    return disk;
  }

  /** T5: seals what a rescue found unsealed. A failure is left to the folder's closing, or next opening. */
  async #sealLeftOver({ id, point }: SealOp): Promise<void> {
    const { tree } = this.#context;
    try {
      const leaf = tree.point(point) === undefined ? null : this.#openLeaf(point);
      await leaf?.seal();
      tree.commit([drop('op', id)]);
      await leaf?.dropRunFiles();
    } catch (cause) {
      if (!(cause instanceof Fault)) throw cause;
    }
  }

  #openLeaf(id: PointId): Leaf {
    return new Leaf(
      this.files.image(fileName(id), id),
      this.files.folder,
      this.#context.bootId,
      this.#context.off,
    );
  }

  /** T14: a guest that used the disk before lives on, and relies on writes that may be gone. */
  requireSound(): void {
    const { why } = this.files.doubt;
    if (why !== null) throw poisoned(why);
  }

  /** T14: no guest that used it lives on: it holds what its files hold. Fault disk.poisoned: reopen it. */
  trust(): void {
    const poison = this.files.poison();
    if (poison !== null) throw poisoned(poison);
    this.files.doubt.end();
  }

  /** Why the disk is not written any more; null where all is well. */
  get poison(): string | null {
    return this.files.poison() ?? this.files.doubt.why;
  }

  get leafId(): PointId {
    return (this.#context.tree.disk(this.id) ?? this.files.row).leaf;
  }

  /** Of Now. */
  get virtualBytes(): number {
    return (this.#context.tree.disk(this.id) ?? this.files.row).virtualBytes;
  }

  sizeOf(point: PointId): number {
    return this.#context.tree.sizeOf(this.files.row, point);
  }

  get isLeafEmpty(): boolean {
    return this.#leaf.isEmpty;
  }

  /** The leaf adds nothing to the image below it: it is empty, and of the same size. */
  get isLeafBlank(): boolean {
    const { tree } = this.#context;
    const parent = tree.disk(this.id)?.leafParent ?? null;
    const below = parent === null ? this.virtualBytes : this.sizeOf(parent);
    return this.#leaf.isEmpty && below === this.virtualBytes;
  }

  get leafImage(): Image {
    return this.#leaf.image;
  }

  /** Makes a durable leaf that no row knows of yet. */
  async prepareLeaf(id: PointId, parent: PointId, virtualBytes: number, nowMs: number): Promise<void> {
    const { files } = this;
    const { blockBytes } = files.row;
    const row = { virtualBytes, blockBytes, leaf: id, leafParent: parent };
    const image = makeLeaf(row, files.folder, { nowMs });
    const { off } = this.#context;
    try {
      if (off.leafSync !== true) await image.sync();
      if (off.leafFolderSync !== true) await files.folder.sync();
    } catch (cause) {
      image.close();
      throw cause;
    }
    files.register(fileName(id), image);
    this.#prepared = this.#openLeaf(id);
  }

  /** For a leaf whose transaction did not happen. What cannot be unlinked is swept at the next opening. */
  async discardLeaf(id: PointId): Promise<void> {
    const prepared = this.#prepared;
    this.#prepared = null;
    prepared?.closeRunFiles();
    this.files.dropImage(fileName(id));
    for (const name of [fileName(id), ...runFileNames(id)]) await this.files.folder.unlink(name);
  }

  #takePrepared(id: PointId): Leaf {
    const prepared = this.#prepared;
    this.#prepared = null;
    return prepared !== null && prepared.image.uuid === id ? prepared : this.#openLeaf(id);
  }

  /** The barrier of a take: from this tick on the guest writes to the new leaf, and flushes cover both. */
  switchLeaf(id: PointId): void {
    this.#sealing = this.#leaf;
    this.#leaf = this.#takePrepared(id);
    this.files.leaves = [this.#leaf.image, this.#sealing.image];
    this.files.resetViews();
  }

  /**
   * Flushes and freezes the leaf below the new one. The function it answers is to be called after the commit.
   */
  async sealUnder(leaf: PointId): Promise<() => Promise<void>> {
    const old = this.#sealing;
    invariant(old !== null && this.#leaf.image.uuid === leaf, 'a take seals the leaf it switched');
    await old.seal();
    return async () => {
      this.#sealing = null;
      this.files.leaves = [this.#leaf.image];
      this.files.resetViews();
      return old.dropRunFiles();
    };
  }

  /** T6: during a take this flushes both leaves in the tick of the call: writes before the switch count. */
  async flush(): Promise<void> {
    const { off } = this.#context;
    await Promise.all([off.sealingFlush === true ? null : this.#sealing?.flush(), this.#leaf.flush()]);
  }

  async seal(): Promise<void> {
    await this.#leaf.seal();
  }

  /** After a going back that came to nothing: the leaf is as before. */
  async unseal(): Promise<void> {
    await this.#leaf.unseal();
  }

  /**
   * After a going back was committed: Now is the new leaf. Nobody is using the disk (T7: not while exported).
   */
  async adoptLeaf(id: PointId): Promise<void> {
    const old = this.#leaf;
    this.#leaf = this.#takePrepared(id);
    this.files.leaves = [this.#leaf.image];
    this.files.resetViews();
    await old.dropRunFiles();
  }

  async close(): Promise<void> {
    // A failure on the way here counts, too.
    const isSound = (): boolean => this.files.poison() === null;
    if (isSound()) for (const op of this.#context.tree.sealsOf(this.id)) await this.#sealLeftOver(op);
    // A take that could not be finished left two leaves (T14); both hold what was acknowledged.
    for (const leaf of [this.#sealing, this.#leaf]) {
      if (isSound()) await leaf?.quiesce();
      leaf?.closeRunFiles();
    }
    const { folder, doubt } = this.files;
    const wasSound = isSound();
    if (wasSound) await putAway(folder, folder.list().filter(isRunFileName));
    this.files.close();
    await doubt.close(wasSound);
  }
}

/** Unlinks what a crash left before its transaction: files of ours that no row knows, and no others. */
async function dropOrphans(row: DiskRow, folder: Folder, { tree }: DiskContext): Promise<void> {
  const op = tree.reversalOf(row.id);
  const known = new Set<string>(
    tree.points.filter(point => point.diskId === row.id).map(point => fileName(point.id)),
  );
  const leaves = [row.leaf, ...tree.sealsOf(row.id).map(({ point }) => point)];
  for (const take of tree.ops)
    if (take.kind === 'take')
      for (const { diskId, leaf } of take.leaves) if (diskId === row.id) leaves.push(leaf);
  // A run file means nothing once its leaf is sealed.
  for (const leaf of leaves) for (const name of [fileName(leaf), ...runFileNames(leaf)]) known.add(name);
  for (const gone of tree.unlinks) known.add(fileName(gone.id));
  for (const { images } of tree.grafts) for (const { point } of images) known.add(fileName(point));
  if (op !== undefined) known.add(newFileName(op.root));
  for (const name of folder.list()) {
    if (known.has(name) || !OURS.test(name)) continue;
    if (!PASSING.test(name) && !isEmptyImage(row, folder, name)) continue;
    // The folder is not synced: a file that comes back is swept again.
    await folder.unlink(name);
  }
}

const OURS = /^[0-9a-f-]{36}\.(?:vhd|vhd\.new|vhd\.part|run-[ab])$/;
/** Such files mean nothing without the record that names them, whatever they hold. */
const PASSING = /\.(?:run-[ab]|part)$/;

/** True for an image without blocks, or a torn file of a BAT at most: unlinking any other loses data. */
function isEmptyImage(row: DiskRow, folder: Folder, name: string): boolean {
  const file = folder.open(name, 'read-only');
  try {
    return Image.open(file, null).allocatedBlocks().length === 0;
  } catch (cause) {
    if (cause instanceof Fault && cause.body.code === 'vhd.corrupt')
      return file.sizeBytes() <= emptyImageBytes(row) || holdsNoData(file, row.blockBytes);
    throw cause;
  } finally {
    file.close();
  }
}

/** T15: a growth that a power cut tore leaves a leaf as long as its BAT, which may be a larger disk's. */
function holdsNoData(file: BlockFile, blockBytes: number): boolean {
  const bytes = file.sizeBytes();
  if (bytes > emptyImageBytes({ virtualBytes: VIRTUAL_BYTES_MAX, blockBytes })) return false;
  const bat = new Uint8Array(Math.max(0, bytes - emptyImageBytes({ virtualBytes: 0, blockBytes })));
  file.read(bat, BAT_AT);
  return bat.every(byte => byte === 0 || byte === 0xff);
}
