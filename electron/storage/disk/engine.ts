// The timeline engine of one VM: its disks, points and moments, and the background work that brings them to rest.
// The only owner of the VM's VHD files and timeline.db. Rules T1–T18 and their order of writes: ../SPEC.md.
import {
  type DiskId,
  type MomentId,
  momentIdSchema,
  type PointId,
  pointIdSchema,
  type VmId,
} from '../../../shared/ids.ts';
import { Fault } from '../../../shared/result.ts';
import type { CompactOrder, Moment, Timeline } from '../../../shared/timeline.ts';
import type { Volume } from '../volume.ts';
import { Disk, type DiskContext } from './disk.ts';
import { fileName } from './disk-files.ts';
import { grownSize, newDisk } from './disk-size.ts';
import { pointVolume } from './disk-volume.ts';
import { diskExists, noDisk, noPoint, pinned, requireRoom } from './engine-faults.ts';
import {
  type EngineOptions,
  type EnginePorts,
  type MomentChange,
  type NewMoment,
  settlingOf,
} from './engine-types.ts';
import { DeltaWriter } from './export-delta.ts';
import { Grafts } from './graft.ts';
import { hashVolume } from './hash.ts';
import { Inspector } from './inspect.ts';
import { type Mirror, mirrorOf } from './mirror.ts';
import { Settler } from './settler.ts';
import { Sharing } from './share.ts';
import { type MomentRow, put } from './state.ts';
import { sweep } from './sweep.ts';
import { beginTake, finishTake, type GoBack, goBackTo, type TakePorts, type TakeWhat } from './take.ts';
import { describeTimeline } from './timeline-view.ts';
import { Tree } from './tree.ts';
import { Verifier } from './verify.ts';

const BLOCK_BYTES = 2 * 2 ** 20;
/** How long until a take or a sweep that failed is tried again. */
const RETRY_MS = 15_000;

export class VmEngine {
  readonly #vmId: VmId;
  readonly #ports: EnginePorts;
  readonly #options: EngineOptions;
  readonly #tree: Tree;
  readonly #disks = new Map<DiskId, Disk>();
  readonly #listeners = new Set<() => void>();
  readonly #settler: Settler;
  readonly inspect: Inspector;
  readonly verifier: Verifier;
  readonly grafts: Grafts;
  readonly deltas: DeltaWriter;
  readonly sharing: Sharing;
  /** Takes, goings-back and deletions run one after another: each is short. */
  #queue: Promise<unknown> = Promise.resolve();
  readonly #making = {
    newPointId: () => pointIdSchema.parse(this.#ports.random.uuid()),
    nowMs: () => this.#ports.clock.wallMs(),
  };
  #release: () => void | Promise<void> = () => undefined;
  #isOpen = false;

  private constructor(vmId: VmId, ports: EnginePorts, options: EngineOptions) {
    this.#vmId = vmId;
    this.#ports = ports;
    this.#options = options;
    this.#tree = new Tree(ports.store);
    this.inspect = new Inspector(this.#tree, this.#disks, ports.turn);
    this.verifier = new Verifier(this.#tree, this.#disks, ports.turn);
    this.deltas = new DeltaWriter(this.#tree, this.#disks, ports.turn);
    this.grafts = this.#newGrafts();
    this.sharing = new Sharing({
      context: this.#context(),
      disks: this.#disks,
      serial: work => this.#serial(work),
      ...this.#making,
    });
    this.#settler = new Settler({
      tree: this.#tree,
      disks: this.#disks,
      clock: ports.clock,
      turn: ports.turn,
      ...settlingOf(options),
      changed: () => this.#changed(),
      tidy: () => this.#serial(() => this.#sweep()),
    });
  }

  #newGrafts(): Grafts {
    return new Grafts({
      tree: this.#tree,
      disks: this.#disks,
      off: this.#options.switchOff ?? {},
      serial: work => this.#serial(work),
      ...this.#making,
      newMoment: (given, parentId) => this.#newMoment(given, parentId),
      sweep: () => this.#sweep(),
      grown: () => {
        this.#changed();
        this.#settler.wake();
      },
    });
  }

  /** Opens, finishes what a crash left half-done (T3, T6, T11), and begins to settle. */
  static async open(vmId: VmId, ports: EnginePorts, options: EngineOptions = {}): Promise<VmEngine> {
    const engine = new VmEngine(vmId, ports, options);
    for (const row of engine.#tree.disks) engine.#disks.set(row.id, await Disk.open(row, engine.#context()));
    await engine.#finishTakes();
    engine.#isOpen = true; // What fails from here on is tried again by itself.
    await engine.#sweep();
    if (options.autoSettle !== false) engine.#settler.wake();
    return engine;
  }

  /** `release` is called when the folder is closed: it gives back the lock, or whatever else is held. */
  onRelease(release: () => void | Promise<void>): void {
    this.#release = release;
  }

  get #takePorts(): TakePorts {
    return { tree: this.#tree, disks: this.#disks, ...this.#making };
  }

  #context(): DiskContext {
    const { diskFolder, bootId } = this.#ports;
    const off = this.#options.switchOff ?? {};
    return { tree: this.#tree, diskFolder, bootId, off, wrote: () => this.#changed() };
  }

  onChange(listener: () => void): () => void {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  }

  #changed(): void {
    for (const listener of this.#listeners) listener();
  }

  #serial<T>(work: () => Promise<T>): Promise<T> {
    const next = this.#queue.then(async () => {
      await this.#finishTakes();
      return work();
    });
    this.#queue = next.catch(() => undefined);
    return next;
  }

  #disk(diskId: DiskId): Disk {
    const disk = this.#disks.get(diskId);
    if (disk !== undefined) return disk;
    throw noDisk(diskId);
  }

  #moment(momentId: MomentId): MomentRow {
    const moment = this.#tree.moment(momentId);
    if (moment !== undefined && moment.trashedAt === null) return moment;
    throw noPoint(momentId);
  }

  /** A new empty disk: one dynamic leaf, no point yet. The size is rounded up to one all readers agree on (T12). */
  createDisk(diskId: DiskId, virtualBytes: number): Promise<void> {
    return this.#serial(async () => {
      if (this.#disks.has(diskId)) throw diskExists(diskId);
      const row = newDisk(
        diskId,
        virtualBytes,
        this.#options.blockBytes ?? BLOCK_BYTES,
        this.#making.newPointId(),
      );
      const record = (): void => this.#tree.commit([put('disk', row)]);
      await Disk.create(row, this.#context(), { nowMs: this.#making.nowMs(), record });
      this.#disks.set(row.id, await Disk.open(row, this.#context()));
      this.#changed();
    });
  }

  /** Makes Now of a disk larger by a take without a moment; its points stay as they were (T4). Answers the new size (T12). */
  growDisk(diskId: DiskId, virtualBytes: number): Promise<number> {
    return this.#serial(async () => {
      const current = this.#disk(diskId).virtualBytes;
      const size = grownSize(current, virtualBytes);
      if (size !== current) await this.#take(null, [], new Map([[diskId, size]]));
      return size;
    });
  }

  /** Now of a disk; stays valid across takes. */
  volume(diskId: DiskId): Volume {
    return this.#disk(diskId).volume;
  }

  /** T14: true where something written to a disk may be lost: the folder must be opened again. */
  isPoisoned(): boolean {
    return [...this.#disks.values()].some(({ files }) => files.poison() !== null);
  }

  /** T14: nobody who used the disk lives on, so it is in doubt no more. Fault disk.poisoned: open the folder again first. */
  trust(diskId: DiskId): void {
    this.#disk(diskId).trust();
  }

  /** The points that a differencing image with this parent UUID fits: of that id, or with content that came from it. */
  pointsOf(uuid: string): PointId[] {
    return this.#tree.points
      .filter(({ id, origin, momentId }) => momentId !== null && (id === uuid || origin === uuid))
      .map(({ id }) => id);
  }

  pointReader(pointId: PointId): Volume {
    const point = this.#tree.point(pointId);
    if (point === undefined) throw noPoint(pointId);
    const { files } = this.#disk(point.diskId);
    const sizeBytes = this.#tree.sizeOf(files.row, pointId);
    const source = { view: files.view(pointId), readers: files.readers };
    return pointVolume(source, { sizeBytes, blockBytes: files.row.blockBytes });
  }

  hashPoint = async (pointId: PointId, signal?: AbortSignal): Promise<string> =>
    hashVolume(this.pointReader(pointId), this.#ports.turn, signal);

  /** What timeline.json repeats; another `revision` means other content. */
  mirror(): { readonly revision: number; readonly mirror: Mirror } {
    return { revision: this.#tree.revision, mirror: mirrorOf(this.#tree) };
  }

  timeline(): Timeline {
    return describeTimeline(this.#vmId, this.#tree, this.#disks, this.#settler.status());
  }

  #momentView(id: MomentId): Moment {
    const found = this.timeline().moments.find(moment => moment.id === id);
    if (found === undefined) throw noPoint(id);
    return found;
  }

  /** T6: O(1), nothing is copied; nothing waits. */
  takeMoment({ origins, ...given }: NewMoment): Promise<Moment> {
    return this.#serial(async () => {
      requireRoom(this.#tree, this.#disks.size, given.note);
      for (const disk of this.#disks.values()) disk.requireSound();
      const moment = this.#newMoment(given, this.#tree.nowMoment);
      await this.#take(moment, origins);
      return this.#momentView(moment.id);
    });
  }

  async #take(...[moment, origins, grown]: TakeWhat): Promise<void> {
    await beginTake(this.#takePorts, moment, origins, grown);
    await this.#finishTakes();
    this.#settler.wake();
  }

  /** T17: nobody uses the disks. A changed leaf becomes a point without a moment, so that settling makes Now one VHD. */
  rest(): Promise<void> {
    return this.#serial(async () => {
      for (const disk of this.#disks.values()) await disk.flush();
      if (![...this.#disks.values()].every(disk => disk.isLeafBlank)) await this.#take(null);
    });
  }

  /** A recorded take is completed before anything else; a full disk may have stopped it half-way (T14). */
  async #finishTakes(): Promise<void> {
    for (const op of this.#tree.ops) {
      if (op.kind !== 'take') continue;
      try {
        await finishTake(this.#takePorts, op);
      } catch (cause) {
        this.#retryLater();
        throw cause;
      }
      this.#changed();
    }
  }

  #retryLater(): void {
    if (!this.#isOpen) return;
    this.#ports.clock.after(RETRY_MS, () => {
      // A failure arms the next try; the person was told of the first.
      if (this.#isOpen) void this.#serial(() => this.#sweep()).catch(() => undefined);
    });
  }

  #newMoment(given: Omit<NewMoment, 'origins'>, parentId: MomentId | null, orderId?: MomentId): MomentRow {
    const id = orderId ?? momentIdSchema.parse(this.#ports.random.uuid());
    return { ...given, id, parentId, pinned: false, takenAt: this.#ports.clock.wallMs(), trashedAt: null };
  }

  updateMoment({ momentId, ...change }: MomentChange): Promise<Moment> {
    return this.#serial(async () => {
      const row = this.#moment(momentId);
      const { name = row.name, note = row.note, pinned = row.pinned } = change;
      requireRoom(this.#tree, 0, note, momentId);
      this.#tree.commit([put('moment', { ...row, name, note, pinned })]);
      this.#changed();
      return this.#momentView(momentId);
    });
  }

  /** T7: what changed since the last moment is kept as a branch; Now becomes a new leaf on the chosen one. */
  goBack({ momentId, keepName, orderId }: GoBack): Promise<void> {
    return this.#serial(async () => {
      if (orderId !== undefined && this.#tree.hasGoneBack(orderId)) return;
      const kept = this.#newMoment({ name: keepName, note: '', kind: 'kept' }, this.#tree.nowMoment, orderId);
      await goBackTo(this.#takePorts, this.#moment(momentId), kept);
      await this.#sweep();
      this.#changed();
      this.#settler.wake();
    });
  }

  /** T8: into the trash, from where it can come back: nothing is freed yet. */
  deleteMoment(momentId: MomentId): Promise<void> {
    return this.#serial(async () => {
      const row = this.#moment(momentId);
      if (row.pinned) throw pinned(row.name);
      this.#tree.commit([put('moment', { ...row, trashedAt: this.#ports.clock.wallMs() })]);
      this.#changed();
    });
  }

  restoreMoment(momentId: MomentId): Promise<Moment> {
    return this.#serial(async () => {
      const row = this.#tree.moment(momentId);
      if (row === undefined) throw noPoint(momentId);
      this.#tree.commit([put('moment', { ...row, trashedAt: null })]);
      this.#changed();
      return this.#momentView(momentId);
    });
  }

  /** T8: deletes for good. A file that nothing hangs off goes at once; other points are merged away in the background. */
  purge(
    which: (row: MomentRow & { readonly trashedAt: number }) => boolean,
  ): Promise<{ freedBytes: number }> {
    return this.#serial(async () => {
      const isGoing = (row: MomentRow): boolean =>
        row.trashedAt !== null && which({ ...row, trashedAt: row.trashedAt });
      for (const row of this.#tree.moments.filter(isGoing)) this.#tree.commit(this.#tree.without(row));
      const freedBytes = this.#tree
        .loose()
        .reduce((sum, { id, diskId }) => sum + this.#disk(diskId).files.allocatedBytes(fileName(id)), 0);
      await this.#sweep();
      this.#changed();
      this.#settler.wake();
      return { freedBytes };
    });
  }

  /** Unlinks files nobody needs. A failure is not told: no point needs these files, and a later sweep unlinks them. */
  async #sweep(): Promise<void> {
    try {
      await sweep(this.#tree, this.#disks, this.grafts.stale(), this.#options.switchOff ?? {});
    } catch (cause) {
      if (!(cause instanceof Fault)) throw cause;
      this.#retryLater();
    }
  }

  /** Gives back to the host what frozen images hold for nothing. Faults: disk.full, disk.io. */
  compact(order: CompactOrder = 'run'): void {
    this.#settler.compact(order);
  }

  setSettling(run: boolean): void {
    this.#settler.setRunning(run);
  }

  holdSettling(isHeld: boolean): void {
    this.#settler.hold(isHeld);
  }

  /** T7: takes back the reversal under way; settling is paused. */
  undoSettling(): Promise<void> {
    return this.#settler.undo();
  }

  /** One pass of settling, for callers that drive it themselves. Resolves at rest, paused or blocked. */
  settle(): Promise<void> {
    return this.#settler.settle();
  }

  /** T12: flushed, end footers written, everything closed; the next opener finds nothing to recover. */
  async close(): Promise<void> {
    this.#isOpen = false;
    await this.#settler.stop();
    await this.#queue;
    this.grafts.close();
    try {
      for (const disk of this.#disks.values()) await disk.close();
    } finally {
      this.#tree.close();
      await this.#release();
    }
  }
}
