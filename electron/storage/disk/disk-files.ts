// The files of one disk: which image stands for which point, also in the middle of a reversal and before
// recovery, and the views over them. Opens files on first use, never writes them.
//
//   at rest      <point>.vhd for every point, <leaf>.vhd
//   op = copy, undo   R.vhd root · R.vhd.new backward delta B · C.vhd forward delta F   (T2)
//   op = flip    the same, or root already C.vhd, or B already R.vhd                (T3)
//   op = merge   X.vhd going, C.vhd its only child; down and flipped: X.vhd is C already, or renamed to C.vhd  (T8)
import type { PointId } from '../../../shared/ids.ts';
import { Fault } from '../../../shared/result.ts';
import type { Folder } from '../../platform/ports.ts';
import type { Doubt } from './doubt.ts';
import { Image } from './image.ts';
import { type Layer, View } from './layers.ts';
import { Readers } from './readers.ts';
import type { DiskRow, MergeOp, ReversalOp } from './state.ts';
import type { Tree } from './tree.ts';

export const fileName = (id: PointId): string => `${id}.vhd`;
/** Of an image that is no point yet: a rescue does not take such a file for a point (graft.ts). */
export const partFileName = (id: PointId): string => `${id}.vhd.part`;
export const newFileName = (id: PointId): string => `${id}.vhd.new`;

/** T14: unlinks leftovers and spent run files. What stays is swept when the disk is closed or opened. */
export async function putAway(folder: Folder, names: readonly string[]): Promise<void> {
  for (const name of names)
    try {
      await folder.unlink(name);
    } catch (cause) {
      if (!(cause instanceof Fault)) throw cause;
    }
}

/** The three images of an edge being turned. `forward` is null once the flip has begun: it is drained. */
export interface Edge {
  readonly root: Image;
  readonly backward: Image;
  readonly forward: Image | null;
}

export class DiskFiles {
  readonly row: DiskRow;
  readonly folder: Folder;
  readonly #tree: Tree;
  readonly doubt: Doubt;
  readonly #images = new Map<string, Image>();
  readonly #nameless: Image[] = [];
  /** Allocated bytes of files nobody has open, which do not change. The timeline tells all of them (T15). */
  readonly #sizes = new Map<string, number>();
  readonly #views = new Map<PointId, View>();
  /** Newest first, above every point: the leaf, and during a take the one being sealed under it. */
  leaves: readonly Image[] = [];
  readonly now: View;
  readonly readers = new Readers();
  /** Views of images that are no points yet (graft.ts). */
  readonly grafted = new Set<View>();

  constructor(row: DiskRow, folder: Folder, tree: Tree, doubt: Doubt) {
    this.row = row;
    this.folder = folder;
    this.doubt = doubt;
    this.#tree = tree;
    this.now = new View(() => this.#nowLayers());
  }

  #nowLayers(): Layer[] {
    let endBytes = Number.POSITIVE_INFINITY;
    const layers = this.leaves.map(image => {
      endBytes = Math.min(endBytes, image.virtualBytes);
      return { image, endBytes };
    });
    const parent = this.#tree.disk(this.row.id)?.leafParent ?? null;
    return parent === null ? layers : [...layers, ...this.layersOf(parent, endBytes)];
  }

  /** Opens by file name, checking the UUID in the file (T1). Throws vhd.parent-missing, vhd.corrupt. */
  image(name: string, uuid: PointId | null): Image {
    const known = this.#images.get(name);
    if (known !== undefined) return known;
    if (!this.folder.exists(name)) throw missing(name, this.folder.path);
    const image = Image.open(this.folder.open(name, 'existing'), uuid);
    if (image.blockBytes !== this.row.blockBytes || !this.#fitting(uuid).has(image.virtualBytes)) {
      image.close();
      throw mismatch(name, image, this.row);
    }
    this.register(name, image);
    return image;
  }

  /** The name of the image's file now; `image.file.name` may be an earlier one. */
  nameOf(image: Image): string {
    for (const [name, known] of this.#images) if (known === image) return name;
    throw missing(image.file.name, this.folder.path);
  }

  /** The sizes a file may have: its point's own; during an operation also the operation's other points'. */
  #fitting(uuid: PointId | null): Set<number> {
    const { id } = this.row;
    const [op, merge] = [this.#tree.reversalOf(id), this.#tree.mergeOf(id)];
    const ids = [uuid, ...(op === undefined ? [] : [op.root, op.child])];
    if (merge !== undefined) ids.push(merge.point, merge.child);
    const sizes = new Set(ids.flatMap(point => (point === null ? [] : this.#tree.sizeOf(this.row, point))));
    for (const take of this.#tree.ops)
      if (take.kind === 'take')
        for (const { leaf, virtualBytes } of take.leaves)
          if (leaf === uuid && virtualBytes !== undefined) sizes.add(virtualBytes);
    return sizes;
  }

  register(name: string, image: Image): void {
    image.onFailedSync = () => this.doubt.raise();
    this.#images.set(name, image);
    this.#sizes.delete(name);
  }

  /** T14: a sync failed on somebody else's handle of this file; our handle may hear of nothing. */
  syncFailed(name: string): void {
    this.#images.get(name)?.distrust();
    this.doubt.raise();
  }

  /** May replace another file, whose image is closed. */
  rename(from: string, to: string): void {
    try {
      this.folder.rename(from, to);
    } catch (cause) {
      this.#forgetNames([from, to]);
      throw cause;
    }
    this.#renamed(from, to);
  }

  /** A rename that failed may have happened: readers open the names anew. Images close with the disk. */
  #forgetNames(names: readonly string[]): void {
    for (const name of names) {
      const image = this.#images.get(name);
      if (image !== undefined) this.#nameless.push(image);
      this.#images.delete(name);
      this.#sizes.delete(name);
    }
    this.resetViews();
  }

  #renamed(from: string, to: string): void {
    const image = this.#images.get(from);
    this.#close(this.#images.get(to));
    for (const name of [from, to]) this.#images.delete(name);
    for (const name of [from, to]) this.#sizes.delete(name);
    if (image !== undefined) this.#images.set(to, image);
  }

  dropImage(name: string): void {
    this.#close(this.#images.get(name));
    this.#images.delete(name);
    this.#sizes.delete(name);
  }

  /** T3: a file that lost its name is closed only when everybody who reads it has left. */
  #close(image: Image | undefined): void {
    if (image === undefined || this.readers.isIdle) image?.close();
    else void this.readers.leftOld().then(() => image.close());
  }

  /** The images of the edge an op is turning, told apart by the names that exist. */
  edge(op: ReversalOp): Edge {
    const { root, child } = op;
    const hasNew = this.folder.exists(newFileName(root));
    // T2: without B's file, the root below would be opened as its own backward delta.
    if (!hasNew && op.kind !== 'flip') throw missing(newFileName(root), this.folder.path);
    const backward = this.image(hasNew ? newFileName(root) : fileName(root), root);
    if (op.kind !== 'flip') {
      return {
        root: this.image(fileName(root), root),
        backward,
        forward: this.image(fileName(child), child),
      };
    }
    // While two files carry one UUID, the dynamic one wins; the root's header may be old, new or torn between
    // them.
    const rootName = hasNew && this.folder.exists(fileName(root)) ? fileName(root) : fileName(child);
    return { root: this.image(rootName, null), backward, forward: null };
  }

  /** The file that took the child's place in a merge downwards, under its old or its new name. */
  merged(op: MergeOp): Image {
    const name = fileName(this.folder.exists(fileName(op.point)) ? op.point : op.child);
    return this.image(name, null);
  }

  /** The images that the op changes. */
  imagesOf(op: ReversalOp | MergeOp): Image[] {
    if (op.kind !== 'merge') {
      const { root, backward, forward } = this.edge(op);
      return [root, backward, ...(forward === null ? [] : [forward])];
    }
    if (op.stage === 'flip') return [this.merged(op)];
    return [op.point, op.child].map(id => this.image(fileName(id), id));
  }

  /** T5: when the point began as a leaf. The time stamp goes with the point's name from file to file. */
  timestampMs(point: PointId): number {
    return this.image(fileName(point), null).timestampMs;
  }

  /** The image that a read of the point asks first. */
  top(point: PointId): Image {
    const op = this.#tree.reversalOf(this.row.id);
    const merge = this.#tree.mergeOf(this.row.id);
    if (op !== undefined && (point === op.root || point === op.child)) {
      const { root, backward, forward } = this.edge(op);
      return point === op.root ? backward : (forward ?? root);
    }
    if (merge?.stage === 'flip' && (point === merge.point || point === merge.child))
      return this.merged(merge);
    return this.image(fileName(point), point);
  }

  /** Every image a read of the point may touch, newest first, and how far each is read. Iterative (T15). */
  layersOf(point: PointId, upTo = Number.POSITIVE_INFINITY): Layer[] {
    const op = this.#tree.reversalOf(this.row.id);
    const merge = this.#tree.mergeOf(this.row.id);
    const layers: Layer[] = [];
    let endBytes = upTo;
    for (const id of this.#tree.pathToRoot(point)) {
      if (merge?.stage === 'flip' && id === merge.point) continue;
      // X, which takes in units of a larger C, answers for C behind X's own end, too.
      if (id !== merge?.point || merge.direction === 'up')
        endBytes = Math.min(endBytes, this.#tree.sizeOf(this.row, id));
      if (merge?.stage === 'flip' && id === merge.child) {
        layers.push({ image: this.merged(merge), endBytes });
        continue;
      }
      if (op !== undefined && (id === op.root || id === op.child)) {
        const { root, backward, forward } = this.edge(op);
        // T3: R reads B over the root, C reads F over the root, at every instant.
        const above = id === op.root ? backward : forward;
        if (above !== null) layers.push({ image: above, endBytes });
        layers.push({ image: root, endBytes });
        return layers;
      }
      layers.push({ image: this.image(fileName(id), id), endBytes });
    }
    return layers;
  }

  view(point: PointId): View {
    const known = this.#views.get(point);
    if (known !== undefined) return known;
    const view = new View(() => this.layersOf(point));
    this.#views.set(point, view);
    return view;
  }

  /** T8: a reader that still has this view gets a fault, never another point's bytes. */
  dropView(point: PointId): void {
    this.#views.get(point)?.end();
    this.#views.delete(point);
  }

  resetViews(): void {
    this.now.reset();
    for (const view of [...this.#views.values(), ...this.grafted]) view.reset();
  }

  /** A block changed hands in some image: every view asks again. */
  forgetBlock(block: number): void {
    this.now.forget(block);
    for (const view of [...this.#views.values(), ...this.grafted]) view.forget(block);
  }

  allocatedBytes(name: string): number {
    const known = this.#images.get(name);
    if (known !== undefined) return known.file.allocatedBytes();
    const size = this.#sizes.get(name);
    if (size !== undefined) return size;
    try {
      const bytes = measured(this.folder, name);
      this.#sizes.set(name, bytes);
      return bytes;
    } catch (cause) {
      // A figure for display: no VM stands still because it is missing.
      if (cause instanceof Fault) return 0;
      throw cause;
    }
  }

  /** Why what is written to the disk may be lost; null where it is kept. */
  poison(): string | null {
    for (const image of this.#images.values()) if (image.poison !== null) return image.poison;
    // The sync failed on a handle that is closed by now.
    if (this.doubt.hasFailed) return 'a sync failed';
    return this.#tree.isUncertain ? 'whether the last change is recorded is not known' : null;
  }

  close(): void {
    for (const image of [...this.#images.values(), ...this.#nameless.splice(0)]) image.close();
    this.#images.clear();
  }
}

function measured(folder: Folder, name: string): number {
  if (!folder.exists(name)) return 0;
  const file = folder.open(name, 'read-only');
  try {
    return file.allocatedBytes();
  } finally {
    file.close();
  }
}

/** Syncs by its own handles. `failed` tells the open image, whose handle may not hear of it (T14). */
export async function syncFiles(
  folder: Folder,
  names: readonly string[],
  failed: (name: string) => void,
): Promise<void> {
  for (const name of names) {
    if (!folder.exists(name)) continue;
    // Not every host syncs a file that is open for reading only.
    const file = folder.open(name, 'existing');
    try {
      await file.sync();
    } catch (cause) {
      failed(name);
      throw cause;
    } finally {
      file.close();
    }
  }
}

const missing = (name: string, folder: string): Fault =>
  new Fault({
    code: 'vhd.parent-missing',
    what: `${name} is not in ${folder}; other points are stored as differences from it.`,
    safe: 'Nothing was changed; the files that are there are untouched.',
    todo: 'Put the file back where it was and open the VM again.',
    data: { name, folder },
  });

const mismatch = (name: string, image: Image, row: DiskRow): Fault =>
  new Fault({
    code: 'vhd.parent-mismatch',
    what: `${name} is of ${image.virtualBytes} bytes in blocks of ${image.blockBytes}, its disk of ${row.virtualBytes} in ${row.blockBytes}.`,
    safe: 'Nothing was changed.',
    todo: 'This file belongs to another disk; put the right one back.',
  });
