// The tree of a VM's points, in memory, and what may be done to it. Pure but for `commit`, which mirrors
// committed changes. Iterative throughout (T15).
import type { DiskId, MomentId, PointId } from '../../../shared/ids.ts';
import { type Fault, invariant } from '../../../shared/result.ts';
import { isUncertain } from './engine-faults.ts';
import type {
  Change,
  CompactOp,
  DiskRow,
  GraftOp,
  MergeOp,
  MomentRow,
  OpRow,
  PointRow,
  ReversalOp,
  Row,
  RowKind,
  SealOp,
  TimelineStore,
} from './state.ts';
import { drop, isReversal, put } from './state.ts';

type Tables = { readonly [K in RowKind]: Map<string, Row<K>> };

export class Tree {
  readonly #tables: Tables;
  readonly #store: TimelineStore;
  /** The points of each moment: every telling of the timeline asks for all of them (T15). */
  readonly #ofMoment = new Map<MomentId, Set<PointId>>();
  #doubt: Fault | null = null;

  constructor(store: TimelineStore) {
    this.#store = store;
    const load = <K extends RowKind>(kind: K): Map<string, Row<K>> =>
      new Map(store.rows(kind).map(row => [row.id, row]));
    this.#tables = {
      disk: load('disk'),
      point: load('point'),
      moment: load('moment'),
      op: load('op'),
      unlink: load('unlink'),
      now: load('now'),
      settling: load('settling'),
    };
    for (const point of this.#tables.point.values()) this.#list(point);
  }

  /** Counts transactions. */
  revision = 0;

  /** Points whose files must stay for work in memory that no row names. */
  readonly held = new Set<PointId>();

  /** T14: whether some transaction happened is unknown. */
  get isUncertain(): boolean {
    return this.#doubt !== null;
  }

  /** T14: nothing begins once it is unknown whether a transaction happened. Fault disk.poisoned. */
  requireCertain(): void {
    if (this.#doubt !== null) throw this.#doubt;
  }

  /** Durable first, then visible: memory never knows more than the database. */
  commit(changes: readonly Change[]): void {
    try {
      this.#store.commit(changes);
    } catch (cause) {
      if (isUncertain(cause)) this.#doubt = cause;
      throw cause;
    }
    this.revision++;
    for (const change of changes) {
      const isPoint = ('drop' in change ? change.drop : change.put) === 'point';
      if (isPoint) this.#unlist(('drop' in change ? change.id : change.row.id) as PointId);
      if ('drop' in change) this.#tables[change.drop].delete(change.id);
      else (this.#tables[change.put] as Map<string, unknown>).set(change.row.id, change.row);
      if ('put' in change && change.put === 'point') this.#list(change.row);
    }
  }

  #list({ id, momentId }: PointRow): void {
    if (momentId === null) return;
    const known = this.#ofMoment.get(momentId);
    if (known === undefined) this.#ofMoment.set(momentId, new Set([id]));
    else known.add(id);
  }

  #unlist(id: PointId): void {
    const momentId = this.point(id)?.momentId ?? null;
    const known = momentId === null ? undefined : this.#ofMoment.get(momentId);
    known?.delete(id);
    if (momentId !== null && known?.size === 0) this.#ofMoment.delete(momentId);
  }

  close(): void {
    this.#store.close();
  }

  get disks(): DiskRow[] {
    return [...this.#tables.disk.values()];
  }
  get points(): PointRow[] {
    return [...this.#tables.point.values()];
  }
  get moments(): MomentRow[] {
    return [...this.#tables.moment.values()];
  }
  get ops(): OpRow[] {
    return [...this.#tables.op.values()];
  }
  get unlinks(): Row<'unlink'>[] {
    return [...this.#tables.unlink.values()];
  }
  get nowMoment(): MomentId | null {
    return this.#tables.now.get('now')?.momentId ?? null;
  }

  /** T7: was this going back done? By the record, or, where that was lost (T5), the branch with its id. */
  hasGoneBack(orderId: MomentId): boolean {
    return this.#tables.now.get('now')?.wentBackBy === orderId || this.moment(orderId) !== undefined;
  }

  get isPaused(): boolean {
    return this.#tables.settling.get('settling')?.isPaused ?? false;
  }

  disk(id: DiskId): DiskRow | undefined {
    return this.#tables.disk.get(id);
  }
  point(id: PointId): PointRow | undefined {
    return this.#tables.point.get(id);
  }
  moment(id: MomentId): MomentRow | undefined {
    return this.#tables.moment.get(id);
  }
  pointsOf(momentId: MomentId): PointRow[] {
    return [...(this.#ofMoment.get(momentId) ?? [])].flatMap(id => this.point(id) ?? []);
  }
  reversalOf(diskId: DiskId): ReversalOp | undefined {
    return this.ops.filter(isReversal).find(op => op.diskId === diskId);
  }
  mergeOf(diskId: DiskId): MergeOp | undefined {
    return this.ops.find((op): op is MergeOp => op.kind === 'merge' && op.diskId === diskId);
  }

  compactOf(diskId: DiskId): CompactOp | undefined {
    return this.ops.find((op): op is CompactOp => op.kind === 'compact' && op.diskId === diskId);
  }

  sealsOf(diskId: DiskId): SealOp[] {
    return this.ops.filter((op): op is SealOp => op.kind === 'seal' && op.diskId === diskId);
  }

  get grafts(): GraftOp[] {
    return this.ops.filter((op): op is GraftOp => op.kind === 'graft');
  }

  /** The size of a point, or of the leaf: a disk may have grown since the point (T4). */
  sizeOf({ id, virtualBytes }: Pick<DiskRow, 'id' | 'virtualBytes'>, image: PointId): number {
    return this.point(image)?.virtualBytes ?? this.disk(id)?.virtualBytes ?? virtualBytes;
  }

  /** Gives points of a disk that have no size of their own yet the disk's. */
  withSizes({ id, virtualBytes }: DiskRow): Change[] {
    return this.points
      .filter(point => point.diskId === id && point.virtualBytes === undefined)
      .map(point => put('point', { ...point, virtualBytes }));
  }

  /** From a point to the root, both included, by storage parent. */
  pathToRoot(from: PointId): PointId[] {
    const path: PointId[] = [];
    const seen = new Set<PointId>();
    for (let id: PointId | null = from; id !== null; id = this.point(id)?.parent ?? null) {
      invariant(!seen.has(id), `points of ${from} form a cycle at ${id}`);
      seen.add(id);
      path.push(id);
    }
    return path;
  }

  /** T9: the next edge to turn, oldest first, so that the leaf's parent becomes the root; null at rest. */
  nextEdge(
    disk: DiskRow,
  ): { readonly root: PointId; readonly child: PointId; readonly pending: number } | null {
    if (disk.leafParent === null) return null;
    const path = this.pathToRoot(disk.leafParent);
    const [child, root] = [path.at(-2), path.at(-1)];
    return child === undefined || root === undefined ? null : { root, child, pending: path.length - 1 };
  }

  /** T8: points without a moment that nothing hangs off, or only other such points: their files can go. */
  loose(): PointRow[] {
    const references = this.references();
    const loose = this.points.filter(({ id, momentId }) => momentId === null && !references.has(id));
    // The list grows as it is walked: a loose point may have been all that hung off its parent. Iterative
    // (T15).
    for (const { parent } of loose) {
      const next = parent === null ? undefined : this.point(parent);
      if (next === undefined || next.momentId !== null) continue;
      const left = (references.get(next.id) ?? 0) - 1;
      references.set(next.id, left);
      if (left === 0) loose.push(next);
    }
    return loose;
  }

  /**
   * The points whose files go when this one has no moment any more: none where something hangs off it; else
   * it, and those only it needed.
   */
  goingWith(id: PointId, references: ReadonlyMap<PointId, number>): PointId[] {
    if (references.has(id)) return [];
    const going = [id];
    for (let next = this.#parentOf(id); next !== undefined; next = this.#parentOf(next.id)) {
      if (next.momentId !== null || references.get(next.id) !== 1) break;
      going.push(next.id);
    }
    return going;
  }

  #parentOf(id: PointId): PointRow | undefined {
    const parent = this.point(id)?.parent ?? null;
    return parent === null ? undefined : this.point(parent);
  }

  /** How many hang off each point: images, and work under way. A point that is not listed has none. */
  references(): Map<PointId, number> {
    const counts = new Map<PointId, number>();
    const count = (id: PointId | null): void => {
      if (id !== null) counts.set(id, (counts.get(id) ?? 0) + 1);
    };
    for (const { parent } of this.points) count(parent);
    for (const { leafParent } of this.disks) count(leafParent);
    for (const op of this.ops) {
      if (op.kind === 'merge') for (const id of [op.point, op.child]) count(id);
      if (isReversal(op)) for (const id of [op.root, op.child]) count(id);
      if (op.kind === 'graft') for (const { parent } of op.images) count(parent);
    }
    for (const id of this.held) count(id);
    return counts;
  }

  /** A point smaller than both neighbours stands for the zeros behind its end, until one of them is gone. */
  #isGap(row: DiskRow, { id, parent }: PointRow, child: PointId): boolean {
    const [size, above] = [this.sizeOf(row, id), this.sizeOf(row, child)];
    return parent !== null && size < above && size < this.sizeOf(row, parent);
  }

  /** T8: a point without a moment, off which exactly one frozen image hangs; null where there is none. */
  nextMerge(row: DiskRow): { readonly point: PointId; readonly child: PointId } | null {
    const { id, leafParent } = row;
    const children = new Map<PointId, PointId | 'several'>();
    for (const point of this.points) {
      if (point.diskId !== id || point.parent === null) continue;
      children.set(point.parent, children.has(point.parent) ? 'several' : point.id);
    }
    const grafted = new Set(this.grafts.flatMap(({ images }) => images.map(({ parent }) => parent)));
    for (const point of this.points) {
      if (point.diskId !== id || point.momentId !== null || point.id === leafParent) continue;
      if (grafted.has(point.id)) continue;
      const child = children.get(point.id);
      if (child !== undefined && child !== 'several' && !this.#isGap(row, point, child))
        return { point: point.id, child };
    }
    return null;
  }

  /** The next frozen image without all its checksums, the root first: the others hang off it. */
  nextRecord({ id }: DiskRow): PointId | null {
    const missing = this.points.filter(({ diskId, sums }) => diskId === id && !sums);
    return (missing.find(({ parent }) => parent === null) ?? missing[0])?.id ?? null;
  }

  /** Drops a moment. Its points stay while something hangs off them; moments after it get its parent. */
  without({ id }: Pick<MomentRow, 'id'>): Change[] {
    // Read anew: its parent may have been dropped a moment ago.
    const parentId = this.moment(id)?.parentId ?? null;
    return [
      drop('moment', id),
      ...this.pointsOf(id).map(point => put('point', { ...point, momentId: null })),
      ...this.moments.filter(row => row.parentId === id).map(row => put('moment', { ...row, parentId })),
      ...[...this.#tables.now.values()]
        .filter(({ momentId }) => momentId === id)
        .map(row => put('now', { ...row, momentId: parentId })),
    ];
  }

  /** The moment, or for one in the trash its nearest living ancestor. Iterative, circles or not (T15). */
  liveMoment(id: MomentId | null): MomentId | null {
    const seen = new Set<MomentId>();
    let found = id === null ? undefined : this.moment(id);
    while (found !== undefined && found.trashedAt !== null && !seen.has(found.id)) {
      seen.add(found.id);
      found = found.parentId === null ? undefined : this.moment(found.parentId);
    }
    return found?.trashedAt === null ? found.id : null;
  }
}
