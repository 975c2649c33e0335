// The memory manager: owns all state of memory, hears what happens to VMs and answers questions about memory.
// Sampling, planning and acting happen in its loop (loop.ts).

import type { VmId } from '../../../shared/ids.ts';
import type { Log } from '../../../shared/log.ts';
import type {
  FreePreview,
  HostMemory,
  LedgerEntry,
  MemoryRange,
  MemoryReplay,
  MemorySample,
  StartPreview,
  VmMemory,
} from '../../../shared/memory.ts';
import { offMemory } from '../../../shared/off-memory.ts';
import type { Result } from '../../../shared/result.ts';
import { amountText } from '../../../shared/units.ts';
import type { VmSpec } from '../../../shared/vm.ts';
import type { Clock, Random } from '../../platform/ports.ts';
import type { VmGroups } from '../../platform/vm-groups.ts';
import type { GuestPort, Lease, MemoryPort, VmMemoryEvent } from '../ports.ts';
import { Backstop } from './backstop.ts';
import { checkPolicy, defaultReserveKib, type HostFigures, type MemoryPolicy } from './budget.ts';
import type { Known } from './doubt.ts';
import { Focus } from './focus.ts';
import { FreeDesk } from './free-desk.ts';
import { Histories, type HistoryRows } from './histories.ts';
import { HostWatch } from './host-watch.ts';
import type { MemoryJournal } from './journal.ts';
import { hostIsFullText, LeaseDesk } from './lease-desk.ts';
import { DEADBAND_KIB, MemoryLoop } from './loop.ts';
import { type HostModel, poolKib, totalCommittedKib } from './model.ts';
import { Narrator } from './narrator.ts';
import { plan } from './plan.ts';
import { previewStart } from './preview.ts';
import { capped, checkRange } from './range.ts';
import { replay } from './replay.ts';
import type { MemorySwitchOffs } from './switch-offs.ts';
import { TrackedVm } from './tracked-vm.ts';
import { eventText } from './words.ts';

export interface ManagerPorts {
  readonly clock: Clock;
  readonly random: Random;
  readonly journal: MemoryJournal;
  readonly host: () => HostFigures;
  readonly log: Log;
  readonly switchOff?: MemorySwitchOffs;
  /** The kernel's limits (backstop.ts); null or absent: there are none. */
  readonly groups?: VmGroups | null;
  /** This computer slept: its guests did not see the time pass. */
  readonly woke?: () => void;
  readonly historyRows?: HistoryRows;
}

export class MemoryManager implements MemoryPort {
  readonly #ports: ManagerPorts;
  readonly #vms = new Map<VmId, TrackedVm>();
  readonly #histories: Histories;
  readonly #desk: LeaseDesk;
  readonly #hostListeners = new Set<() => void>();
  readonly #ledgerListeners = new Set<(entry: LedgerEntry) => void>();
  #policy: MemoryPolicy;
  readonly #watch: HostWatch;
  readonly #focus = new Focus();
  readonly #narrator: Narrator;
  readonly #loop: MemoryLoop;
  readonly #free: FreeDesk;
  readonly #backstop: Backstop;

  constructor(ports: ManagerPorts, policy: Partial<MemoryPolicy> = {}) {
    this.#ports = ports;
    this.#histories = new Histories(ports.historyRows);
    this.#watch = new HostWatch(ports.host, ports.clock, ports.switchOff?.watermarks === true);
    this.#policy = {
      mode: 'demand',
      reserveKib: defaultReserveKib(this.#watch.figures.totalKib),
      budgetKib: null,
      capKib: null,
      ...policy,
    };
    this.#narrator = new Narrator({
      clock: ports.clock,
      journal: ports.journal,
      vms: this.#vms,
      worthTellingKib: DEADBAND_KIB,
      told: entry => {
        for (const listener of this.#ledgerListeners) listener(entry);
      },
    });
    this.#desk = new LeaseDesk({
      ...ports,
      model: () => this.#model(),
      isMeasured: vmId => this.#vms.get(vmId)?.footprint.isMeasured ?? true,
      keptFreeKib: () => this.#keptFreeKib(),
      capKib: () => this.#policy.capKib,
      wake: cause => this.#loop.wake(cause),
      tried: write => this.#tried(write),
    });
    this.#backstop = new Backstop(ports.groups ?? null, ports.log);
    this.#free = new FreeDesk({
      clock: ports.clock,
      model: () => this.#model(),
      availableKib: () => {
        this.#watch.look(this.#residentKib());
        return this.#watch.figures.availableKib;
      },
      residentKib: vmId => this.#vms.get(vmId)?.residentKib ?? null,
    });
    this.#loop = new MemoryLoop({
      clock: ports.clock,
      journal: ports.journal,
      log: ports.log,
      switchOff: ports.switchOff ?? {},
      vms: this.#vms,
      histories: this.#histories,
      desk: this.#desk,
      narrator: this.#narrator,
      backstop: this.#backstop,
      model: () => this.#model(),
      look: () => {
        this.#watch.look(this.#residentKib());
        // Memory kept free on request is not missing: the whole budget counts here.
        const budgetKib = this.#watch.budgetKib(this.#policy);
        return { ...this.#watch.figures, isOverdrawn: poolKib({ ...this.#model(), budgetKib }) < 0 };
      },
      woke: () => {
        this.#watch.restart(this.#residentKib());
        this.#ports.woke?.();
      },
      done: () => {
        for (const listener of this.#hostListeners) listener();
      },
    });
  }

  /** After adoption: leases of starts that died with the last control are void (M6). */
  begin(): void {
    this.#loop.begin();
    this.#watch.restart(this.#residentKib());
    for (const lease of this.#ports.journal.leases())
      this.#tried(() => this.#ports.journal.dropLease(lease.id));
    this.#loop.wake('Ebb started');
  }

  stop(): void {
    this.#loop.stop();
    this.#backstop.letGo();
  }

  onHost(listener: () => void): () => void {
    this.#hostListeners.add(listener);
    return () => this.#hostListeners.delete(listener);
  }
  onLedger(listener: (entry: LedgerEntry) => void): () => void {
    this.#ledgerListeners.add(listener);
    return () => this.#ledgerListeners.delete(listener);
  }

  // ── MemoryPort: what supervisors tell us ────────────────────────────────────────────────────────────────────────

  lease(request: { spec: VmSpec; exactKib?: number; signal: AbortSignal }): Promise<Lease> {
    this.#watch.look(this.#residentKib());
    return this.#desk.lease(request);
  }

  transfer(lease: Lease, guest: GuestPort): void {
    const spec = this.#desk.specOf(lease);
    // M9: a target still noted is of a run that ended unseen; this QEMU was not asked for anything yet.
    this.#ports.journal.dropTarget(spec.id);
    // The VM counts before its lease is dropped: its memory never looks free. Saved memory has an old target.
    const isNew = !this.#desk.isOfSaved(lease);
    this.#track(spec, guest, { bootKib: lease.bootKib, targetKib: null, isNew });
    this.#desk.settle(lease);
    this.#loop.wake(`${spec.name} started`);
  }

  reached(vmId: VmId, guest: GuestPort): void {
    const vm = this.#vms.get(vmId);
    if (vm === undefined) return;
    vm.guest = guest;
    this.#loop.wake(null);
  }

  release(lease: Lease): void {
    const { name } = this.#desk.specOf(lease);
    this.#desk.settle(lease);
    this.#loop.wake(`${name} did not start`);
  }

  adopt(spec: VmSpec, bootKib: number, guest: GuestPort): void {
    // M9: the last target is in the journal; an unknown target counts as all of `-m`.
    this.#track(spec, guest, { bootKib, targetKib: this.#ports.journal.target(spec.id), isNew: false });
    this.#loop.wake(`${spec.name} was found running`);
  }

  /** For writes that the next control, or the next start, can do without: a failure is only logged. */
  #tried(write: () => void): void {
    try {
      write();
    } catch (cause) {
      this.#ports.log(`memory: the journal could not be written: ${String(cause)}`, 'error');
    }
  }

  #track(spec: VmSpec, guest: GuestPort, known: Known): void {
    const { clock, journal, switchOff = {} } = this.#ports;
    const notedKib = journal.overhead(spec.id);
    const nowMs = clock.monotonicMs();
    this.#vms.set(spec.id, new TrackedVm({ ...known, spec, guest, notedKib, switchOff, nowMs }));
    this.#desk.runs(spec.id, notedKib);
    this.#backstop.enter(spec.id, guest.pid);
  }

  detach(vmId: VmId, why: VmMemoryEvent): void {
    const vm = this.#vms.get(vmId);
    if (vm === undefined) return;
    this.#vms.delete(vmId);
    this.#backstop.leave(vmId);
    this.#focus.forget(vmId);
    // If this fails, the next start drops the target (transfer).
    this.#tried(() => {
      this.#ports.journal.dropTarget(vmId);
      const { ownNeedKib } = vm.footprint;
      if (ownNeedKib < (vm.notedKib ?? 0)) this.#ports.journal.putOverhead(vmId, ownNeedKib);
    });
    this.#histories.end(vmId, this.#ports.clock.wallMs());
    this.#loop.wake(`${vm.spec.name} ${eventText(why) ?? 'stopped'}`);
  }

  /** The VM was deleted. */
  forget(vmId: VmId): void {
    this.#tried(() => this.#ports.journal.dropOverhead(vmId));
    this.#histories.forget(vmId);
  }

  event(vmId: VmId, event: VmMemoryEvent): void {
    const vm = this.#vms.get(vmId);
    if (vm === undefined) return;
    if (event === 'reset') vm.wasReset(this.#ports.clock.monotonicMs());
    const word = eventText(event);
    this.#loop.wake(word === null ? null : `${vm.spec.name} ${word}`);
  }

  specChanged(spec: VmSpec): void {
    this.#desk.specChanged(spec);
    const vm = this.#vms.get(spec.id);
    if (vm === undefined) return;
    const isRange = vm.spec.minKib !== spec.minKib || vm.spec.maxKib !== spec.maxKib;
    vm.spec = spec;
    this.#loop.wake(isRange ? `The range of ${spec.name} was changed` : null);
  }

  // ── what the service asks ───────────────────────────────────────────────────────────────────────────────────────

  /** `anyMax`: the maximum may be above the present cap. */
  checkRange(range: MemoryRange, anyMax = false): Result<MemoryRange> {
    return checkRange(range, {
      budgetKib: this.#policy.budgetKib ?? this.#watch.figures.totalKib - this.#policy.reserveKib,
      capKib: anyMax ? null : this.#policy.capKib,
    });
  }

  get policy(): MemoryPolicy {
    return this.#policy;
  }

  setPolicy(change: Partial<MemoryPolicy>): Result<MemoryPolicy> {
    const next = checkPolicy({ ...this.#policy, ...change }, this.#watch.figures.totalKib);
    if (!next.ok) return next;
    this.#policy = next.value;
    this.#loop.wake("The host's limits were changed");
    return next;
  }

  /** VMs give back until `kib` of the host are free, and keep that free for `forMs`; 0 ends it. */
  free(kib: number, forMs: number): FreePreview {
    const preview = this.#free.free(kib, forMs);
    this.#loop.wake(kib === 0 ? null : `${amountText(kib)} of this computer are to be free`);
    return preview;
  }

  #keptFreeKib(): number {
    const { hold } = this.#free;
    return hold === null ? 0 : Math.max(0, this.#watch.budgetKib(this.#policy) - hold.budgetKib);
  }

  /** `exactKib`: the size of the VM's saved memory; null: none is saved. */
  preview(spec: VmSpec, exactKib: number | null = null): StartPreview {
    this.#watch.look(this.#residentKib());
    if (this.#loop.hostState === 'emergency')
      return { feasible: false, bootKib: 0, sentence: hostIsFullText(spec.name), changes: [] };
    const model = this.#model();
    const overheadKib = this.#ports.journal.overhead(spec.id);
    return previewStart(model, capped(spec, this.#policy.capKib), {
      nowMs: this.#ports.clock.monotonicMs(),
      keptFreeKib: this.#keptFreeKib(),
      overheadKib,
      marginKib: this.#desk.marginKib(overheadKib, null),
      later: this.#desk.later(model),
      exactKib,
    });
  }

  vmMemory(spec: VmSpec): VmMemory {
    const vm = this.#vms.get(spec.id);
    return vm === undefined ? offMemory(spec) : vm.describe(this.#ports.clock.monotonicMs());
  }

  history(vmId: VmId, sinceMs: number): MemorySample[] {
    return this.#histories.since(vmId, sinceMs, this.#ports.clock.wallMs());
  }

  ledger(vmId: VmId | null, limit: number, beforeSeq: number | null = null): LedgerEntry[] {
    return this.#ports.journal.ledger(vmId, limit, beforeSeq);
  }

  /** Whose screen a connection looks at; null: nobody's. */
  focus(connection: number, vmId: VmId | null): void {
    if (!this.#focus.look(connection, vmId, this.#ports.clock.monotonicMs())) return;
    const name = vmId === null ? undefined : this.#vms.get(vmId)?.spec.name;
    this.#loop.wake(name === undefined ? null : `${name} is being worked with`);
  }

  /** M5: on battery the host is looked at less often while nothing changes. */
  setOnBattery(isOnBattery: boolean): void {
    this.#loop.setOnBattery(isOnBattery);
  }

  /** A sentence: which limits the host's kernel can set, or why none. */
  get backstopFound(): string {
    return this.#ports.groups?.found ?? '';
  }

  /** M7: adds a sentence to the ledger that is no VM's move. */
  tell(text: string): void {
    this.#narrator.tell(text);
  }

  /** M7: makes the latest plans again and compares them. */
  replay(limit: number): MemoryReplay {
    return replay(this.#ports.journal.inputs(limit));
  }

  hostMemory(): HostMemory {
    const model = this.#model();
    const { clock } = this.#ports;
    const now = clock.monotonicMs();
    const { hold } = this.#free;
    const { totalKib, availableKib, ownKib } = this.#watch.figures;
    return {
      totalKib,
      availableKib,
      ownKib,
      reserveKib: this.#policy.reserveKib,
      budgetKib: this.#watch.budgetKib(this.#policy),
      capKib: this.#policy.capKib,
      committedKib: totalCommittedKib(model),
      leasedKib: this.#desk.grantedKib(),
      freeKib: Math.max(0, poolKib(model)),
      compressionRatio: plan(model, now).compressionRatio,
      mode: this.#policy.mode,
      state: this.#loop.hostState,
      freeUntil: hold === null ? null : Math.round(clock.wallMs() + hold.endsAtMs - now),
      freePromisedKib: hold?.promisedKib ?? null,
      freeWithheldKib: this.#keptFreeKib(),
      planAgeMs: this.#loop.planAgeMs,
      vms: [...this.#vms.values()].map(vm => vm.describe(now)),
    };
  }

  /** What our VMs hold, asked of the host at this instant. */
  #residentKib(): number {
    let sum = 0;
    for (const vm of this.#vms.values()) sum += vm.lookAtHost() ?? 0;
    return sum;
  }

  #model(): HostModel {
    const now = this.#ports.clock.monotonicMs();
    const off = this.#ports.switchOff ?? {};
    const vms = [...this.#vms.values()].map(vm => {
      const model = vm.model(now, this.#policy.capKib);
      return { ...model, weight: this.#focus.weigh(vm.id, model.weight, now) };
    });
    return {
      mode: this.#policy.mode,
      budgetKib: Math.min(
        this.#watch.budgetKib(this.#policy),
        this.#free.hold?.budgetKib ?? Number.POSITIVE_INFINITY,
      ),
      leasedKib: off.leaseCounts === true ? 0 : this.#desk.leasedKib(),
      waitingKib: this.#desk.waitingKib(),
      vms,
    };
  }
}
