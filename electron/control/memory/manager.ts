// The memory manager: samples guests and host, plans, actuates; owns all of memory's state. No arithmetic of policy
// here: plan.ts, actuate.ts and progress.ts decide (M1). One exception never stops the loop (M5).
import type { VmId } from '../../../shared/ids.ts';
import type {
  HostMemory,
  LedgerEntry,
  MemoryRange,
  MemorySample,
  StartPreview,
  VmMemory,
} from '../../../shared/memory.ts';
import type { Result } from '../../../shared/result.ts';
import { MIB_KIB } from '../../../shared/units.ts';
import type { VmSpec } from '../../../shared/vm.ts';
import type { Clock, Random } from '../../platform/ports.ts';
import type { GuestPort, Lease, MemoryPort, VmMemoryEvent } from '../ports.ts';
import { actuate, type Command } from './actuate.ts';
import { checkPolicy, defaultReserveKib, type HostFigures, type MemoryPolicy } from './budget.ts';
import { Histories } from './histories.ts';
import { HostWatch } from './host-watch.ts';
import type { MemoryJournal } from './journal.ts';
import { LeaseDesk } from './lease-desk.ts';
import { type HostModel, poolKib, totalCommittedKib } from './model.ts';
import { Narrator } from './narrator.ts';
import { plan } from './plan.ts';
import { previewStart } from './preview.ts';
import { checkRange } from './range.ts';
import type { MemorySwitchOffs } from './switch-offs.ts';
import { offMemory, TrackedVm } from './tracked-vm.ts';
import { refusedSentence, selfDeflatedSentence } from './words.ts';

const TICK_MS = 1_000;
/** While somebody waits for memory or a balloon moves. */
const BUSY_TICK_MS = 250;
/** Smaller changes are left alone: a balloon's work is not free. */
const DEADBAND_KIB = 8 * MIB_KIB;
/** A plan waits no longer for guests that are slow to answer; what they say later counts in the next one (M4). */
const PATIENCE_MS = 100;

export interface ManagerPorts {
  readonly clock: Clock;
  readonly random: Random;
  readonly journal: MemoryJournal;
  readonly host: () => HostFigures;
  readonly log: (line: string) => void;
  readonly switchOff?: MemorySwitchOffs;
}

export class MemoryManager implements MemoryPort {
  readonly #ports: ManagerPorts;
  readonly #vms = new Map<VmId, TrackedVm>();
  readonly #histories = new Histories();
  readonly #desk: LeaseDesk;
  readonly #hostListeners = new Set<() => void>();
  readonly #ledgerListeners = new Set<(entry: LedgerEntry) => void>();
  #policy: MemoryPolicy;
  readonly #watch: HostWatch;
  #planAtMs: number;
  readonly #narrator: Narrator;
  /** M9: before every running VM was adopted, what the others hold looks free. */
  #hasBegun = false;
  #isTicking = false;
  #isAgain = false;
  #isStopped = false;
  #nextTick: { cancel(): void } | null = null;

  constructor(ports: ManagerPorts, policy: Partial<MemoryPolicy> = {}) {
    this.#ports = ports;
    this.#watch = new HostWatch(ports.host, ports.clock, ports.switchOff?.watermarks === true);
    this.#policy = {
      mode: 'demand',
      reserveKib: defaultReserveKib(this.#watch.figures.totalKib),
      budgetKib: null,
      capKib: null,
      ...policy,
    };
    this.#planAtMs = ports.clock.monotonicMs();
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
      clock: ports.clock,
      random: ports.random,
      journal: ports.journal,
      model: () => this.#model(),
      wake: cause => this.#wake(cause),
    });
  }

  /** After adoption: leases of starts that died with the last control are void (M6). */
  begin(): void {
    this.#hasBegun = true;
    this.#watch.restart(this.#residentKib());
    for (const lease of this.#ports.journal.leases()) this.#ports.journal.dropLease(lease.id);
    this.#wake('Ebb started');
  }

  stop(): void {
    this.#isStopped = true;
    this.#nextTick?.cancel();
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
    // The VM is counted before the lease is dropped: its memory is never nobody's.
    this.#track(spec, lease.bootKib, guest, null);
    this.#desk.settle(lease);
    this.#wake(`${spec.name} started`);
  }

  release(lease: Lease): void {
    const { name } = this.#desk.specOf(lease);
    this.#desk.settle(lease);
    this.#wake(`${name} did not start`);
  }

  adopt(spec: VmSpec, bootKib: number, guest: GuestPort): void {
    // M9: what was last asked is in the journal; unknown counts as everything.
    this.#track(spec, bootKib, guest, this.#ports.journal.target(spec.id));
    this.#wake(`${spec.name} was found running`);
  }

  #track(spec: VmSpec, bootKib: number, guest: GuestPort, targetKib: number | null): void {
    const { clock, switchOff = {} } = this.#ports;
    const vm = new TrackedVm({ spec, bootKib, guest, targetKib, switchOff, nowMs: clock.monotonicMs() });
    this.#vms.set(spec.id, vm);
  }

  detach(vmId: VmId, why: VmMemoryEvent): void {
    const vm = this.#vms.get(vmId);
    if (vm === undefined) return;
    this.#vms.delete(vmId);
    this.#ports.journal.dropTarget(vmId);
    this.#histories.end(vmId, this.#ports.clock.wallMs());
    const words: Partial<Record<VmMemoryEvent, string>> = {
      suspended: 'was suspended',
      crashed: 'ended unexpectedly',
    };
    this.#wake(`${vm.spec.name} ${words[why] ?? 'stopped'}`);
  }

  event(vmId: VmId, event: VmMemoryEvent): void {
    const vm = this.#vms.get(vmId);
    if (vm === undefined) return;
    if (event === 'reset') vm.wasReset();
    const words: Partial<Record<VmMemoryEvent, string>> = {
      'guest-up': 'is up',
      paused: 'was paused',
      resumed: 'resumed',
      reset: 'was reset',
    };
    const word = words[event];
    this.#wake(word === undefined ? null : `${vm.spec.name} ${word}`);
  }

  specChanged(spec: VmSpec): void {
    const vm = this.#vms.get(spec.id);
    if (vm === undefined) return;
    const isRange = vm.spec.minKib !== spec.minKib || vm.spec.maxKib !== spec.maxKib;
    vm.spec = spec;
    this.#wake(isRange ? `The range of ${spec.name} was changed` : null);
  }

  // ── what the service asks ───────────────────────────────────────────────────────────────────────────────────────

  checkRange(range: MemoryRange): Result<MemoryRange> {
    return checkRange(range, {
      budgetKib: this.#policy.budgetKib ?? this.#watch.figures.totalKib - this.#policy.reserveKib,
      capKib: this.#policy.capKib,
    });
  }

  get policy(): MemoryPolicy {
    return this.#policy;
  }

  setPolicy(change: Partial<MemoryPolicy>): Result<MemoryPolicy> {
    const next = checkPolicy({ ...this.#policy, ...change }, this.#watch.figures.totalKib);
    if (!next.ok) return next;
    this.#policy = next.value;
    this.#wake("The host's limits were changed");
    return next;
  }

  preview(spec: VmSpec): StartPreview {
    this.#watch.look(this.#residentKib());
    return previewStart(this.#model(), spec, this.#ports.clock.monotonicMs());
  }

  vmMemory(spec: VmSpec): VmMemory {
    const vm = this.#vms.get(spec.id);
    return vm === undefined ? offMemory(spec) : vm.describe(this.#ports.clock.monotonicMs());
  }

  history(vmId: VmId, sinceMs: number): MemorySample[] {
    return this.#histories.since(vmId, sinceMs);
  }

  ledger(vmId: VmId | null, limit: number): LedgerEntry[] {
    return this.#ports.journal.ledger(vmId, limit);
  }

  hostMemory(): HostMemory {
    const model = this.#model();
    const now = this.#ports.clock.monotonicMs();
    const { totalKib, availableKib, ownKib } = this.#watch.figures;
    return {
      totalKib,
      availableKib,
      ownKib,
      reserveKib: this.#policy.reserveKib,
      budgetKib: model.budgetKib,
      capKib: this.#policy.capKib,
      committedKib: totalCommittedKib(model),
      leasedKib: this.#desk.grantedKib(),
      freeKib: Math.max(0, poolKib(model)),
      compressionRatio: plan(model, now).compressionRatio,
      mode: this.#policy.mode,
      planAgeMs: Math.max(0, Math.round(now - this.#planAtMs)),
      vms: [...this.#vms.values()].map(vm => vm.describe(now)),
    };
  }

  // ── the loop ────────────────────────────────────────────────────────────────────────────────────────────────────

  /** What our VMs hold, asked of the host at this instant. */
  #residentKib(): number {
    let sum = 0;
    for (const vm of this.#vms.values()) {
      vm.lookAtHost();
      sum += vm.residentKib ?? 0;
    }
    return sum;
  }

  #model(): HostModel {
    const now = this.#ports.clock.monotonicMs();
    const off = this.#ports.switchOff ?? {};
    const vms = [...this.#vms.values()].map(vm => vm.model(now));
    return {
      mode: this.#policy.mode,
      budgetKib: this.#watch.budgetKib(this.#policy),
      leasedKib: off.leaseCounts === true ? 0 : this.#desk.leasedKib(),
      vms,
    };
  }

  #wake(cause: string | null): void {
    if (cause !== null) this.#narrator.because(cause);
    this.#schedule(0);
  }

  #schedule(delayMs: number): void {
    if (this.#isStopped || !this.#hasBegun) return;
    if (this.#isTicking) {
      this.#isAgain ||= delayMs === 0;
      return;
    }
    this.#nextTick?.cancel();
    this.#nextTick = this.#ports.clock.after(delayMs, () => void this.tick());
  }

  /** One round: sample, plan, actuate, tell. Never rejects (M5). */
  async tick(): Promise<void> {
    if (this.#isTicking || this.#isStopped) return;
    this.#isTicking = true;
    try {
      await this.#within([...this.#vms.values()].map(vm => this.#sample(vm)));
      this.#watch.look(this.#residentKib());
      await this.#round();
      this.#planAtMs = this.#ports.clock.monotonicMs();
    } catch (cause) {
      this.#ports.log(
        `memory: a round failed: ${cause instanceof Error ? (cause.stack ?? cause.message) : String(cause)}`,
      );
    } finally {
      this.#isTicking = false;
      const isBusy = this.#desk.isWaiting || [...this.#vms.values()].some(vm => vm.isMoving);
      this.#schedule(this.#isAgain ? 0 : isBusy ? BUSY_TICK_MS : TICK_MS);
      this.#isAgain = false;
    }
    for (const listener of this.#hostListeners) listener();
  }

  /** A silent guest keeps its last figures and delays nobody (M4). */
  async #sample(vm: TrackedVm): Promise<void> {
    try {
      const sample = await vm.ask();
      if (sample === null) return;
      // It may have ended, or this manager may have, before it answered.
      if (this.#isStopped || this.#vms.get(vm.id) !== vm) return;
      const { clock } = this.#ports;
      const at = clock.wallMs();
      const change = vm.observe(sample, { monotonicMs: clock.monotonicMs(), wallMs: at });
      const { targetKib, actualKib, usedKib } = vm;
      this.#histories.note(vm.id, { at, targetKib, actualKib, usedKib });
      if (change === 'refusing') this.#setAside(vm);
      if (change === 'self-deflated')
        this.#narrator.note(selfDeflatedSentence(vm.spec.name, vm.actualKib ?? 0), 'note', vm);
      if (change === 'driver-ready') this.#narrator.because(`${vm.spec.name} can be balanced now`);
    } catch (cause) {
      this.#ports.log(`memory: no figures from ${vm.spec.name}: ${String(cause)}`);
    }
  }

  /** All of it, or as much as came within the time a plan waits. */
  #within(all: readonly Promise<void>[]): Promise<unknown> {
    if (all.length === 0) return Promise.resolve();
    return new Promise(resolve => {
      const timer = this.#ports.clock.after(PATIENCE_MS, () => resolve(null));
      void Promise.allSettled(all).then(() => {
        timer.cancel();
        resolve(null);
      });
    });
  }

  /** An unreachable target keeps a driver spinning: it is asked for what it has, as soon as it listens (M4). */
  #setAside(vm: TrackedVm): void {
    const { actualKib, targetKib } = vm;
    vm.setAside();
    if (actualKib !== null && targetKib !== null)
      this.#narrator.note(refusedSentence(vm.spec.name, targetKib, actualKib), 'refused', vm);
  }

  async #round(): Promise<void> {
    const model = this.#model();
    const nowMs = this.#ports.clock.monotonicMs();
    const next = plan(model, nowMs);
    const deadbandKib = this.#desk.isWaiting ? 0 : DEADBAND_KIB;
    const giveBeforeFree = this.#ports.switchOff?.freeBeforeGive === true;
    const commands = actuate(model, next, { deadbandKib, giveBeforeFree });
    this.#narrator.planned({ model, nowMs, plan: next, commands });
    const safer = this.#safer(commands, poolKib(model) < 0);
    await this.#within([
      ...commands.map(command => this.#send(command, true)),
      ...safer.map(command => this.#send(command, false)),
    ]);
    this.#desk.look(this.#model());
    this.#narrator.observed();
  }

  /** Where the last target is in doubt or in vain. */
  #safer(commands: readonly Command[], isOverdrawn: boolean): Command[] {
    const safer: Command[] = [];
    for (const vm of this.#vms.values()) {
      const { id } = vm;
      const saferKib = vm.saferKib(isOverdrawn);
      if (saferKib !== null && commands.every(command => command.id !== id))
        safer.push({ id, targetKib: saferKib, kind: 'take' });
    }
    return safer;
  }

  /** M9: journaled before it is sent; a target that may have been heard counts, whether or not it was. */
  async #send(command: Command, patience: boolean): Promise<void> {
    const vm = this.#vms.get(command.id);
    const now = this.#ports.clock.monotonicMs();
    if (vm === undefined || !vm.maySend(now)) return;
    const higher = Math.max(command.targetKib, vm.targetKib ?? vm.bootKib);
    if (this.#ports.switchOff?.journalBeforeSend !== true) this.#ports.journal.putTarget(vm.id, higher);
    vm.willSend(command.targetKib, now, patience);
    try {
      await vm.guest.setTarget(command.targetKib);
      vm.sent(command.targetKib);
      if (this.#vms.get(vm.id) === vm) this.#ports.journal.putTarget(vm.id, command.targetKib);
    } catch (cause) {
      vm.notSent();
      this.#ports.log(`memory: a command failed: ${String(cause)}`);
    }
  }
}
