// Owns the VMs there are: catalog rows, joined with their supervisors and with their folders in storage. Only
// here does a VM come to exist or cease to; every step on that way can be undone.
import { diskIdSchema, type VmId, vmIdSchema } from '../../../shared/ids.ts';
import type { MemoryRange } from '../../../shared/memory.ts';
import { messageOf, orThrow } from '../../../shared/result.ts';
import type { Rescued, Timeline } from '../../../shared/timeline.ts';
import { isKept, type VmSpec, type VmSummary } from '../../../shared/vm.ts';
import { isLive, isOver } from '../../../shared/vm-phase.ts';
import type { CloudInit, Peek } from '../../../shared/vm-setup.ts';
import type { Clock, Random } from '../../platform/ports.ts';
import type { StorageClient } from '../../storage/client.ts';
import { SPARE_BYTES } from '../disk-room.ts';
import { copyIn } from '../imports/copy-in.ts';
import { checkUnchanged, examineImage, type ImportSource } from '../imports/import-disk.ts';
import { examineHistory } from '../imports/import-history.ts';
import type { ImportPorts } from '../imports/import-ports.ts';
import type { MemoryManager } from '../memory/manager.ts';
import { asLarge } from '../points/grow-disk.ts';
import { type Deleting, purgeOldTrash } from '../points/old-trash.ts';
import type { Policy } from '../policy/policy.ts';
import * as limits from '../policy/vm-rules.ts';
import type { MoveOrder } from '../ports.ts';
import { seedOf } from '../setup/cloud-init.ts';
import type { Catalog } from '../store/catalog.ts';
import { afterwards, orLater } from '../store/unwritten.ts';
import type { Step, TaskRun } from '../tasks/tasks.ts';
import { peekStorage } from '../vm/peek-storage.ts';
import { socketsIn } from '../vm/run-record.ts';
import { QemuSupervisor } from '../vm/supervisor.ts';
import type { SupervisorPorts, VmSupervisor } from '../vm/supervisor-port.ts';
import { copyInstaller } from './installer.ts';
import { createFull, nameTaken, notOff, noVm, ownedElsewhere, tooManyVms } from './machine-faults.ts';
import type { MachineFolders } from './machine-folders.ts';
import { type NewMachine, newSpec, type ResolvedSource } from './new-machine.ts';

const VMS_MAX = 200;

export interface MachinesPorts {
  readonly catalog: Catalog;
  readonly storage: StorageClient;
  readonly memory: MemoryManager;
  readonly folders: MachineFolders;
  readonly supervisor: SupervisorPorts;
  /** The policy in force now. */
  readonly policy: () => Policy;
  readonly imports: ImportPorts;
  readonly clock: Clock;
  readonly random: Random;
  readonly purging: Deleting;
  readonly changed: () => void;
  readonly log: (line: string) => void;
}

export class Machines {
  readonly #ports: MachinesPorts;
  readonly #supervisors = new Map<VmId, VmSupervisor>();

  constructor(ports: MachinesPorts) {
    this.#ports = ports;
  }

  /** Adopts what runs (M9), and opens all disks, so that settling goes on. `madeAgain`: by their tasks. */
  async begin(madeAgain: ReadonlySet<VmId>): Promise<void> {
    await this.#clearAway(madeAgain);
    // A row that could not be forgotten yet: opening it would make an empty folder where its own was.
    const all = this.#ports.catalog.all().filter(({ id }) => !this.#ports.folders.isTrashed(id));
    for (const spec of all.filter(isKept)) await this.#logged(spec.id, () => this.#openAgain(spec.id));
    for (const spec of all) {
      const supervisor = this.supervisor(spec.id);
      // M9: also where the VM's disks do not open: a VM that runs must not be taken for one that is off.
      await this.#logged(spec.id, async () => {
        if (await supervisor.adopt()) this.#ports.log(`vm ${spec.id}: found running`);
        else if (spec.peek !== null) this.endPeek(spec.id);
      });
    }
  }

  /** What was being made when the last control died: storage, and who fills it, may still work on it. */
  async #clearAway(madeAgain: ReadonlySet<VmId>): Promise<void> {
    const { catalog, folders, storage, log } = this.#ports;
    // Deleting moves the folder first: a control that died in between left the row of a VM without disks.
    const gone = catalog.all().filter(({ id }) => folders.isTrashed(id));
    for (const { id } of gone) await this.#logged(id, async () => this.forget(id));
    const halfMade = folders.halfMade();
    if (halfMade.length === 0) return;
    const { openVms } = await storage.call('storage.info', {});
    for (const vmId of halfMade)
      await this.#logged(vmId, async () => {
        if (catalog.get(vmId) !== undefined) return folders.endMaking(vmId);
        if (openVms.includes(vmId)) await storage.closeVm(vmId);
        if (folders.isHeld(vmId)) return log(`vm ${vmId}: half-made, and its disks are open elsewhere`);
        // The journal beside the catalog has a task that makes this VM anew, and needs the room of the remains.
        if (madeAgain.has(vmId)) return folders.remove(vmId);
        folders.toTrash(vmId);
        log(`vm ${vmId}: half-made when the service ended, moved to the trash`);
      });
  }

  async #openAgain(vmId: VmId): Promise<void> {
    const { storage } = this.#ports;
    await this.open(vmId);
    // The programs that filled grafts, and read points, ended with the last control.
    await storage.call('graft.discard', { vmId, graftId: null });
    await storage.call('point.close', { vmId, socketPath: null });
    await this.purgeOldTrash(vmId);
  }

  /** The trouble of one VM is logged, and keeps no other VM waiting. */
  async #logged(vmId: VmId, work: () => Promise<void>): Promise<void> {
    await work().catch((cause: unknown) => this.#ports.log(`vm ${vmId}: ${messageOf(cause)}`));
  }

  #supervise(spec: VmSpec): VmSupervisor {
    const { folders, supervisor, changed, storage, log } = this.#ports;
    const { id, peek } = spec;
    const run = folders.run(id);
    const made = new QemuSupervisor({
      spec: limits.boundSpec(spec, this.#ports.policy()),
      folders: { home: folders.home(id), run },
      ports:
        peek === null
          ? supervisor
          : { ...supervisor, storage: peekStorage(spec, peek, storage, socketsIn(run).disk) },
    });
    made.onChange(({ phase }) => {
      if (peek !== null && isOver(phase)) orLater(() => this.endPeek(id), `vm ${id}: its end`, log);
      else changed();
    });
    this.#supervisors.set(spec.id, made);
    return made;
  }

  /** The VMs that are kept: all but peeks. */
  kept(): VmSummary[] {
    return this.list().filter(({ spec }) => isKept(spec));
  }

  list(): VmSummary[] {
    return this.#ports.catalog.all().map(spec => this.get(spec.id));
  }

  get(vmId: VmId): VmSummary {
    return { spec: this.spec(vmId), state: this.supervisor(vmId).state() };
  }

  spec(vmId: VmId): VmSpec {
    const spec = this.#ports.catalog.get(vmId);
    if (spec !== undefined) return spec;
    throw noVm(vmId);
  }

  supervisor(vmId: VmId): VmSupervisor {
    const spec = this.spec(vmId);
    return this.#supervisors.get(vmId) ?? this.#supervise(spec);
  }

  /** Opens a VM's disks; of a peek, those of the VM it looks at. */
  async open(given: VmId): Promise<void> {
    const vmId = this.peekOf(given)?.vmId ?? given;
    // Deleted but for its row: storage would make an empty folder where the VM's was.
    if (this.#ports.folders.isTrashed(vmId)) throw noVm(vmId);
    this.#adoptSizes(vmId, await this.#ports.storage.openVm(vmId, this.#ports.folders.home(vmId)));
  }

  /** Storage owns how large a disk is: it grows, and going back may make it smaller. It says so again at every opening. */
  #adoptSizes(vmId: VmId, timeline: Timeline): void {
    const spec = this.#ports.catalog.get(vmId);
    const disks = asLarge(spec?.disks ?? [], timeline);
    if (spec === undefined || disks === null) return;
    orLater(() => this.update({ ...spec, disks }), `vm ${vmId}: its size`, this.#ports.log);
  }

  /** T5: makes a lost timeline anew from the images; the VM is closed for that, and opened again. */
  async rescue(vmId: VmId, replace: boolean): Promise<Rescued> {
    const { storage, folders, changed } = this.#ports;
    this.requireOff(vmId, 'rescuing');
    await storage.closeVm(vmId);
    try {
      return await storage.call('vm.rescue', { vmId, folder: folders.home(vmId), replace });
    } finally {
      await this.open(vmId).catch(() => undefined);
      changed();
    }
  }

  purgeOldTrash(vmId: VmId): Promise<void> {
    return purgeOldTrash(this.#ports, vmId);
  }

  /** Refuses before anything is made; `create` makes the VM. */
  async plan(given: NewMachine): Promise<{ readonly spec: VmSpec; readonly image: ImportSource | null }> {
    const { memory, folders, clock, random, imports } = this.#ports;
    const range = orThrow(memory.checkRange(given));
    this.checkNew(given.name);
    const { source } = given;
    const image = source.kind === 'disk' ? await this.#examine(source, imports) : null;
    const virtualBytes = source.kind === 'disk' ? (image?.virtualBytes ?? 0) : source.diskBytes;
    const needs = SPARE_BYTES + (image?.dataBytes ?? 0) + (source.kind === 'iso' ? source.file.bytes : 0);
    const free = folders.freeBytes();
    if (free < needs) throw createFull(needs, free);
    const id = vmIdSchema.parse(random.uuid());
    const diskId = diskIdSchema.parse(random.uuid());
    const spec = newSpec(given, { ...range, id, diskId, virtualBytes, createdAt: clock.wallMs() });
    limits.requireNew(spec, this.#ports.catalog.all().length, this.#ports.policy());
    return { spec, image };
  }

  async #examine(
    { file, format, history }: Extract<ResolvedSource, { kind: 'disk' }>,
    imports: ImportPorts,
  ): Promise<ImportSource> {
    const owner = this.#ports.folders.ownerOf(file.path);
    if (owner !== null) {
      throw ownedElsewhere(file.name, this.#ports.catalog.get(owner)?.name ?? owner);
    }
    const image = await examineImage(file, format, imports);
    return history === true ? examineHistory(image, imports) : image;
  }

  /** Refuses where there is no room for one more VM, or its name is taken. */
  checkNew(name: string): void {
    this.#checkName(name, null);
    if (this.#ports.catalog.all().length < VMS_MAX) return;
    throw tooManyVms(VMS_MAX);
  }

  #checkName(name: string, except: VmId | null): void {
    const taken = this.#ports.catalog
      .all()
      .some(spec => spec.id !== except && spec.name.toLowerCase() === name.toLowerCase());
    if (taken) throw nameTaken(name);
  }

  create(
    { spec, image, cloudInit }: { spec: VmSpec; image: ImportSource | null; cloudInit: CloudInit | null },
    source: ResolvedSource,
    run: TaskRun,
  ): Promise<void> {
    return this.make(spec, run, async () => {
      if (cloudInit !== null) this.#ports.folders.putSeed(spec.id, seedOf(spec, cloudInit));
      const history = source.kind === 'disk' && source.history === true;
      if (image !== null) await copyIn(this.#ports, spec, { image, history }, run);
      if (source.kind !== 'iso') return;
      checkUnchanged(source.file, this.#ports.imports);
      await copyInstaller(this.#ports.folders, source.file.path, spec, run);
    });
  }

  /** Makes a VM: empty disks for `fill` to fill, or (`bringsDisks`) none. What fails leaves nothing. */
  async make(
    spec: VmSpec,
    { step, signal }: TaskRun,
    fill: () => Promise<void>,
    bringsDisks = false,
  ): Promise<void> {
    const { catalog, storage, folders } = this.#ports;
    // The VM was whole when control died.
    if (catalog.get(spec.id) !== undefined) return;
    this.checkNew(spec.name);
    try {
      step('making the disk');
      folders.beginMaking(spec.id);
      await this.open(spec.id);
      const disks: VmSpec['disks'] = bringsDisks ? [...spec.disks] : [];
      for (const disk of bringsDisks ? [] : spec.disks) {
        const made = await storage.call('disk.create', {
          vmId: spec.id,
          diskId: disk.id,
          virtualBytes: disk.virtualBytes,
        });
        disks.push({ ...disk, virtualBytes: made.virtualBytes });
      }
      await fill();
      signal.throwIfAborted();
      // Another VM may have taken the name meanwhile, or the policy may have changed.
      this.checkNew(spec.name);
      limits.requireNew({ ...spec, disks }, catalog.all().length, this.#ports.policy());
      catalog.put({ ...spec, disks });
      folders.endMaking(spec.id);
    } catch (cause) {
      await storage
        .closeVm(spec.id)
        .catch((error: unknown) => this.#ports.log(`undoing ${spec.id}: ${String(error)}`));
      folders.remove(spec.id);
      throw cause;
    }
    this.#supervise(this.spec(spec.id));
    this.#ports.changed();
  }

  rename(vmId: VmId, name: string): void {
    this.#checkName(name, vmId);
    this.update({ ...this.spec(vmId), name });
  }

  setRange(vmId: VmId, range: MemoryRange): void {
    const spec = this.spec(vmId);
    const wanted = limits.wantedRange(range, spec, this.#ports.policy());
    // A maximum that stays as it is may be beyond a limit that came later.
    const isSame = wanted.maxKib === spec.maxKib;
    this.update({ ...spec, ...orThrow(this.#ports.memory.checkRange(wanted, isSame)) });
  }

  setBalance(vmId: VmId, balanced: boolean, weight: number): void {
    const spec = this.spec(vmId);
    limits.requireBalance({ balanced, weight }, spec, this.#ports.policy());
    this.update({ ...spec, balanced, weight });
  }

  /** Stores the spec durably, then tells everybody. */
  update(spec: VmSpec): void {
    this.#ports.catalog.put(spec);
    this.#hear(spec);
    this.#ports.changed();
  }

  /** Tells supervisor and memory the spec as the policy leaves it; the stored spec stays. */
  #hear(spec: VmSpec): void {
    const bound = limits.boundSpec(spec, this.#ports.policy());
    this.supervisor(spec.id).setSpec(bound);
    this.#ports.memory.specChanged(bound);
  }

  /** The spec that the VM runs with. */
  bound(vmId: VmId): VmSpec {
    return limits.boundSpec(this.spec(vmId), this.#ports.policy());
  }

  /** Faults: policy.denied. */
  admit(vmId: VmId, saved: readonly string[] | null): void {
    const running = this.list().filter(({ spec, state }) => spec.id !== vmId && isLive(state.phase));
    limits.requireStart(running.length, saved, this.#ports.policy());
  }

  /** M10: running VMs shrink to a new limit, and have their own range again when the rule goes. */
  hearAll(): void {
    for (const spec of this.#ports.catalog.all()) this.#hear(spec);
    this.#ports.changed();
  }

  requireOff(vmId: VmId, doing: string): void {
    const vm = this.get(vmId);
    const isSaved = this.supervisor(vmId).savedRecord() !== null;
    if (isOver(vm.state.phase) && !isSaved) return;
    throw notOff(vm, doing, isSaved);
  }

  peekOf(vmId: VmId): Peek | null {
    return this.#ports.catalog.get(vmId)?.peek ?? null;
  }

  /** Puts a VM into the list that is whole: a peek, or one whose folder was taken back. */
  add(spec: VmSpec): void {
    this.#ports.catalog.put(spec);
    this.#supervise(spec);
    this.#ports.changed();
  }

  /** Removes a peek and all it wrote; does nothing where it has ended before. */
  endPeek(vmId: VmId): void {
    if (this.#ports.catalog.get(vmId) === undefined) return;
    this.#ports.folders.remove(vmId);
    this.forget(vmId);
  }

  async delete(vmId: VmId, step: Step): Promise<void> {
    this.requireOff(vmId, 'deleting');
    const peeks = this.list().filter(({ spec }) => spec.peek?.vmId === vmId);
    for (const { spec } of peeks) await this.supervisor(spec.id).stop('force', AbortSignal.any([]), step);
    step('closing its disks');
    await this.#ports.storage.closeVm(vmId);
    step('moving it to the trash');
    if (!this.#ports.folders.isTrashed(vmId)) this.#ports.folders.toTrash(vmId);
    afterwards('Its disks, with all their points, are in the trash.', () => this.forget(vmId));
  }

  forget(vmId: VmId): void {
    this.#ports.catalog.remove(vmId);
    this.#ports.memory.forget(vmId);
    this.#supervisors.get(vmId)?.dispose();
    this.#supervisors.delete(vmId);
    this.#ports.changed();
  }

  /** T7. The present is kept under the order's name. An order that was carried out is not again. */
  async moveDisks(vmId: VmId, order: MoveOrder): Promise<Timeline> {
    const timeline = await this.#ports.storage.call('moment.go-back', { vmId, ...order });
    this.#adoptSizes(vmId, timeline);
    return timeline;
  }

  get hasRunning(): boolean {
    return this.list().some(({ state }) => state.pid !== null);
  }

  dispose(): void {
    for (const supervisor of this.#supervisors.values()) supervisor.dispose();
  }
}
