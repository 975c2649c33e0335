// Brings a VM's disks to rest in the background: resumes what was under way, merges away points without a
// moment (T8), then turns edge after edge, oldest first (T9), until the leaf's parent is the root. Paused and
// blocked are states, not errors.
import { errorText } from '../../../shared/errors.ts';
import type { DiskId, PointId } from '../../../shared/ids.ts';
import { Fault } from '../../../shared/result.ts';
import type { CompactOrder, ReversalReport, Timeline } from '../../../shared/timeline.ts';
import type { Clock } from '../../platform/ports.ts';
import { batchSizes } from './batches.ts';
import { freeRoom, newCompact, runCompact } from './compact.ts';
import { type CopyPorts, type CopyProgress, checkSpace, SPARE_BYTES } from './copy.ts';
import type { Disk } from './disk.ts';
import { fileName } from './disk-files.ts';
import { poisoned, requireInReach } from './image-head.ts';
import { mergeDirection, mergeNeedsBytes, runMerge } from './merge.ts';
import { runRecord } from './record.ts';
import { beginReversal, reversalNeedsBytes, runReversal } from './reversal.ts';
import { type CompactOp, drop, type MergeOp, put, type ReversalOp } from './state.ts';
import type { SwitchOffs } from './switch-offs.ts';
import type { Tree } from './tree.ts';
import { runUndo, undoNeedsBytes, undoSlotBytes } from './undo.ts';

const RETRY_MS = 15_000;

export interface SettleStatus {
  readonly state: 'rest' | 'settling' | 'paused' | 'blocked';
  readonly isPaused: boolean;
  readonly isHeld: boolean;
  readonly reason: string | null;
  readonly active: {
    readonly diskId: DiskId;
    /** Null: checksums are being recorded. */
    readonly op: Op | null;
    readonly progress: CopyProgress;
    readonly bytesPerSecond: number;
  } | null;
  readonly last: ReversalReport | null;
  readonly compact: Timeline['settle']['compact'];
}

export interface SettlerPorts {
  readonly tree: Tree;
  readonly disks: ReadonlyMap<DiskId, Disk>;
  readonly clock: Clock;
  readonly turn: () => Promise<void>;
  readonly off: SwitchOffs;
  readonly batchBytes: number;
  /** The largest batch of a disk nobody uses. */
  readonly idleBatchBytes: number;
  readonly cloneMinBytes: number;
  readonly roomyBytes: number;
  readonly changed: () => void;
  /** Called when a piece of work has ended: files nobody needs any more can go. */
  readonly tidy: () => Promise<void>;
}

/** In this order: work under way · merge (shortens reversals) · next edge · checksums · compacting. */
type NextWork =
  | { readonly op: ReversalOp | MergeOp }
  | { readonly merge: NonNullable<ReturnType<Tree['nextMerge']>> }
  | { readonly edge: NonNullable<ReturnType<Tree['nextEdge']>> }
  | { readonly record: PointId }
  | { readonly compact: CompactOp };

type Op = ReversalOp | MergeOp | CompactOp;

export class Settler {
  readonly #ports: SettlerPorts;
  #isStopped = false;
  /** A pause for the battery's sake. Not durable: after a restart whoever holds says so again. */
  #isHeld = false;
  #work: Promise<void> | null = null;
  #again = false;
  /** Why a disk cannot be settled now; other disks go on. */
  readonly #blocked = new Map<DiskId, string>();
  #active: {
    readonly diskId: DiskId;
    op: Op | null;
    progress: CopyProgress;
    startedMs: number;
    startBytes: number;
    /** Paused or blocked: kept so that its progress can still be told. */
    isHalted: boolean;
  } | null = null;
  #last: ReversalReport | null = null;
  /** Bytes freed by compacting, of all disks that are done with it. */
  #freedBytes = 0;

  constructor(ports: SettlerPorts) {
    this.#ports = ports;
  }

  status(): SettleStatus {
    const active = this.#active;
    const seconds = active === null ? 0 : (this.#ports.clock.monotonicMs() - active.startedMs) / 1000;
    const moved = active === null ? 0 : active.progress.bytesDone - active.startBytes;
    const bytesPerSecond = seconds > 0 && active?.isHalted !== true ? Math.round(moved / seconds) : 0;
    const { tree } = this.#ports;
    const isPending = tree.disks.some(disk => this.#next(disk.id) !== null);
    const state =
      this.#blocked.size > 0 ? 'blocked' : !isPending ? 'rest' : this.#isRunning ? 'settling' : 'paused';
    const [reason = null] = this.#blocked.values();
    const compacts = tree.disks.flatMap(disk => tree.compactOf(disk.id) ?? []);
    const freedBytes = compacts.reduce((sum, op) => sum + op.freedBytes, this.#freedBytes);
    return {
      state,
      isPaused: tree.isPaused,
      isHeld: this.#isHeld,
      reason,
      active: active === null ? null : { ...active, bytesPerSecond },
      last: this.#last,
      compact: { isPending: compacts.length > 0, isPaused: compacts.some(op => op.isPaused), freedBytes },
    };
  }

  get #isRunning(): boolean {
    return !this.#ports.tree.isPaused && !this.#isHeld;
  }

  /** Like a pause, but only until told otherwise or the VM is closed. */
  hold(isHeld: boolean): void {
    if (this.#isHeld === isHeld) return;
    this.#isHeld = isHeld;
    this.#ports.changed();
    if (!isHeld) this.wake();
  }

  /** Durable: a pause holds through restarts. After a fault (disk.full, disk.io) nothing has changed. */
  setRunning(run: boolean): void {
    const { tree, changed } = this.#ports;
    if (tree.isPaused === run) tree.commit([put('settling', { id: 'settling', isPaused: !run })]);
    changed();
    if (run) this.wake();
  }

  /** Something changed; settles in the background. */
  wake(): void {
    void this.settle();
  }

  /** Resolves when there is nothing to do, or nothing may be done. Rejects only for a bug. */
  settle(): Promise<void> {
    this.#again = true;
    this.#work ??= this.#loop();
    return this.#work;
  }

  /**
   * T7: takes back the edges that are being turned, and pauses settling. Resolves when the way back is
   * recorded for all. Faults: disk.full where there is no room for it; the edges are then turned on once
   * settling runs again.
   */
  async undo(): Promise<void> {
    this.setRunning(false);
    await this.#work;
    const { tree, disks } = this.#ports;
    // An edge whose names are changing hands is as good as turned.
    const turning = [...disks.values()].flatMap(disk => {
      const op = tree.reversalOf(disk.id);
      return op?.kind === 'copy' ? [{ disk, op }] : [];
    });
    const needs = turning.reduce((sum, { disk, op }) => sum + undoNeedsBytes(disk.files.edge(op)), 0);
    for (const { disk, op } of turning) {
      const edge = disk.files.edge(op);
      const { forward } = edge;
      if (forward !== null) requireInReach(forward.end + undoSlotBytes(edge), forward.file.name);
      const isScarce = disk.files.folder.freeBytes() < needs + SPARE_BYTES;
      // Blocks drained from F that were not punched (T7) are punched now, to make the room.
      if (isScarce && forward !== null)
        await freeRoom({ ...this.#copyPorts(disk, { op }), goOn: () => Promise.resolve(true) }, forward);
    }
    // Settling was told to go on meanwhile: more has moved since the room was looked at.
    const isSame = turning.every(({ disk, op }) => tree.reversalOf(disk.id) === op);
    const [first] = turning;
    if (first === undefined || this.#isRunning || !isSame) return;
    // Room for all of them, or none is taken back.
    checkSpace(needs, first.disk.files.folder.freeBytes());
    tree.commit(turning.map(({ op }) => put('op', { ...op, kind: 'undo' })));
    this.wake();
  }

  async stop(): Promise<void> {
    this.#isStopped = true;
    await this.#work;
  }

  async #loop(): Promise<void> {
    // Begins after the caller's tick, when `#work` is set; cleared in the tick that finds nothing more to do.
    await Promise.resolve();
    try {
      while (this.#again && !this.#isStopped) {
        this.#again = false;
        for (const disk of this.#ports.disks.values()) await this.#settleDisk(disk);
      }
    } finally {
      this.#work = null;
    }
  }

  #next(diskId: DiskId): NextWork | null {
    const { tree } = this.#ports;
    const op = tree.reversalOf(diskId) ?? tree.mergeOf(diskId);
    if (op !== undefined) return { op };
    const row = tree.disk(diskId);
    if (row === undefined) return null;
    const merge = tree.nextMerge(row);
    if (merge !== null) return { merge };
    const edge = tree.nextEdge(row);
    if (edge !== null) return { edge };
    const record = tree.nextRecord(row);
    if (record !== null) return { record };
    const compact = tree.compactOf(diskId);
    return compact === undefined || compact.isPaused ? null : { compact };
  }

  /** Durable: done when all else is at rest; ordered again, all is done anew. Faults: disk.full, disk.io. */
  compact(order: CompactOrder): void {
    const { tree, changed } = this.#ports;
    const known = tree.disks.flatMap(({ id }) => tree.compactOf(id) ?? []);
    const waiting = known.filter(({ isPaused }) => isPaused);
    if (order === 'stop') tree.commit(known.map(({ id }) => drop('op', id)));
    else if (order === 'pause') tree.commit(known.map(op => put('op', { ...op, isPaused: true })));
    else if (waiting.length > 0) tree.commit(waiting.map(op => put('op', { ...op, isPaused: false })));
    else {
      this.#freedBytes = 0;
      tree.commit(tree.disks.map(({ id }) => put('op', newCompact(id))));
    }
    changed();
    this.wake();
  }

  async #settleDisk(disk: Disk): Promise<void> {
    try {
      // T14: nothing may be taken away that an uncertain transaction may name.
      this.#ports.tree.requireCertain();
      for (let next = this.#next(disk.id); next !== null && this.#may(next); next = this.#next(disk.id)) {
        const poison = disk.files.poison();
        if (poison !== null) throw poisoned(poison);
        if (!(await this.#do(disk, next))) break;
        await this.#ports.tidy();
      }
      this.#blocked.delete(disk.id);
    } catch (cause) {
      // A full disk or a failing one must never take the engine down: the guest's own I/O goes on where it
      // can.
      const reason = cause instanceof Fault ? errorText(cause.body) : String(cause);
      this.#blocked.set(disk.id, reason.slice(0, 500));
      if (!(cause instanceof Fault)) throw cause;
      if (!this.#isStopped) this.#ports.clock.after(RETRY_MS, () => this.wake());
    } finally {
      this.#halt(disk.id);
      this.#ports.changed();
    }
  }

  #halt(diskId: DiskId): void {
    const active = this.#active;
    if (active?.diskId !== diskId) return;
    const { tree } = this.#ports;
    const op = tree.reversalOf(diskId) ?? tree.mergeOf(diskId) ?? tree.compactOf(diskId);
    this.#active = op === undefined ? null : { ...active, op, isHalted: true };
  }

  /** A reversal that is being taken back goes on while settling is paused. */
  #may(next: NextWork): boolean {
    return !this.#isStopped && (this.#isRunning || ('op' in next && next.op.kind === 'undo'));
  }

  async #do(disk: Disk, next: NextWork): Promise<boolean> {
    const ports = this.#copyPorts(disk, next);
    if ('record' in next) {
      this.#begun(disk.id, null);
      return runRecord(ports, next.record);
    }
    if ('compact' in next) return this.#doCompact(disk, next.compact, ports);
    const op = 'op' in next ? next.op : await this.#begin(disk, next, ports);
    // The tree changed meanwhile: it is looked at again.
    if (op === null) return true;
    this.#begun(disk.id, op);
    // T14, T11: maps may have been put back after a failed write, or be in the page cache only: durable
    // before going on.
    if ('op' in next && ports.off.redoSync !== true)
      for (const image of disk.files.imagesOf(op)) await image.sync();
    if (op.kind === 'merge') return runMerge(ports, op);
    if (op.kind === 'undo') return runUndo(ports, op);
    const isDone = await runReversal(ports, op);
    if (isDone) this.#report(op);
    return isDone;
  }

  /** Compacting makes way for other work between its steps, and goes on after it. */
  async #doCompact(disk: Disk, op: CompactOp, ports: CopyPorts): Promise<boolean> {
    this.#begun(disk.id, op);
    const isNext = (): boolean => 'compact' in (this.#next(disk.id) ?? {});
    this.#freedBytes += await runCompact(
      { ...ports, goOn: async () => (await ports.goOn()) && isNext() },
      op,
    );
    return true;
  }

  #begun(diskId: DiskId, op: Op | null): void {
    const progress: CopyProgress = {
      phase: 'copy',
      blocksDone: 0,
      blocksTotal: 0,
      bytesDone: 0,
      bytesTotal: 0,
      batches: 0,
    };
    const startedMs = this.#ports.clock.monotonicMs();
    this.#active = { diskId, op, progress, startedMs, startBytes: 0, isHalted: false };
  }

  async #begin(
    { files, id }: Disk,
    next: Exclude<NextWork, { op: unknown } | { record: unknown } | { compact: unknown }>,
    ports: CopyPorts,
  ): Promise<ReversalOp | MergeOp | null> {
    if ('edge' in next) {
      const { root, child } = next.edge;
      const images = {
        root: files.image(fileName(root), root),
        forward: files.image(fileName(child), child),
      };
      checkSpace(reversalNeedsBytes(images), files.folder.freeBytes());
      return beginReversal(ports, root, child);
    }
    const { point, child } = next.merge;
    const [going, staying] = [files.image(fileName(point), point), files.image(fileName(child), child)];
    const direction = mergeDirection(going, staying);
    checkSpace(mergeNeedsBytes(going, staying, direction), files.folder.freeBytes());
    const op: MergeOp = {
      kind: 'merge',
      id: `merge-${id}`,
      diskId: id,
      point,
      child,
      direction,
      stage: 'copy',
    };
    ports.tree.commit([put('op', op)]);
    // From now on the point's file may answer behind its own end.
    files.resetViews();
    return op;
  }

  #report(op: ReversalOp): void {
    const { tree, clock } = this.#ports;
    const [active, toMomentId] = [this.#active, tree.point(op.child)?.momentId];
    if (active === null || toMomentId === undefined || toMomentId === null) return;
    const { bytesDone, batches } = active.progress;
    const durationMs = clock.monotonicMs() - active.startedMs;
    this.#last = { toMomentId, bytes: bytesDone - active.startBytes, batches, durationMs };
  }

  #copyPorts(disk: Disk, work: NextWork): CopyPorts {
    const { tree, turn, off, cloneMinBytes, roomyBytes, changed } = this.#ports;
    let isFirst = true;
    return {
      files: disk.files,
      tree,
      turn: () => turn(),
      goOn: async () => {
        await turn();
        return this.#may(work);
      },
      progress: progress => {
        const active = this.#active;
        if (active === null) return;
        if (isFirst) active.startBytes = progress.bytesDone;
        isFirst = false;
        active.progress = progress;
        changed();
      },
      off,
      nextBatchBytes: batchSizes(this.#ports, () => disk.volume.served),
      cloneMinBytes,
      roomyBytes,
    };
  }
}
