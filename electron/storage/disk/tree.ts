// The tree of a VM's points, in memory, and what may be done to it. Pure but for `apply`, which mirrors committed
// changes. Iterative throughout (T15).
import type { DiskId, MomentId, PointId } from '../../../shared/ids.ts';
import { invariant } from '../../../shared/result.ts';
import type {
  Change,
  DiskRow,
  MomentRow,
  OpRow,
  PointRow,
  ReversalOp,
  Row,
  RowKind,
  TimelineStore,
} from './state.ts';

type Tables = { readonly [K in RowKind]: Map<string, Row<K>> };

export class Tree {
  readonly #tables: Tables;
  readonly #store: TimelineStore;

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
    };
  }

  /** Durable first, then visible: memory never knows more than the database. */
  commit(changes: readonly Change[]): void {
    this.#store.commit(changes);
    for (const change of changes) {
      if ('drop' in change) this.#tables[change.drop].delete(change.id);
      else (this.#tables[change.put] as Map<string, unknown>).set(change.row.id, change.row);
    }
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
    return this.points.filter(point => point.momentId === momentId);
  }
  reversalOf(diskId: DiskId): ReversalOp | undefined {
    return this.ops.find((op): op is ReversalOp => op.kind !== 'take' && op.diskId === diskId);
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

  /** T8: why a moment cannot be deleted now, or null. Storage children count, not the lines people see. */
  keptBecause(momentId: MomentId): {
    readonly code: 'moment.has-children' | 'moment.is-newest' | 'moment.in-use' | 'moment.busy';
    readonly why: string;
  } | null {
    const own = this.pointsOf(momentId);
    const ids = new Set(own.map(point => point.id));
    const isBusy = this.ops.some(op => op.kind !== 'take' && (ids.has(op.root) || ids.has(op.child)));
    if (isBusy)
      return {
        code: 'moment.busy',
        why: 'It is being settled right now; it can be deleted when that is done.',
      };
    if (this.disks.some(disk => disk.leafParent !== null && ids.has(disk.leafParent))) {
      return { code: 'moment.is-newest', why: 'Now grows from it.' };
    }
    if (own.some(point => point.parent === null))
      return { code: 'moment.in-use', why: 'It is the whole disk the other points hang off.' };
    if (this.points.some(point => point.parent !== null && ids.has(point.parent))) {
      return { code: 'moment.has-children', why: 'Older points or branches hang off it.' };
    }
    return null;
  }
}
