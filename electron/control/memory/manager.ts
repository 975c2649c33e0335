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
import { ok, type Result, refuse } from '../../../shared/result.ts';
import { MIB_KIB } from '../../../shared/units.ts';
import type { VmSpec } from '../../../shared/vm.ts';
import type { Clock, Random } from '../../platform/ports.ts';
import type { GuestPort, Lease, MemoryPort, VmMemoryEvent } from '../ports.ts';
import { actuate, type Command } from './actuate.ts';
import { budgetOf, defaultReserveKib, type HostFigures, type MemoryPolicy } from './budget.ts';
import type { MemoryJournal } from './journal.ts';
import { LeaseDesk } from './lease-desk.ts';
import { type HostModel, poolKib, totalCommittedKib } from './model.ts';
import { Narrator } from './narrator.ts';
import { plan } from './plan.ts';
import { previewStart } from './preview.ts';
import { checkRange } from './range.ts';
import { TrackedVm } from './tracked-vm.ts';
import { refusedSentence, selfDeflatedSentence } from './words.ts';

const TICK_MS = 1_000;
/** While somebody waits for memory or a balloon moves. */
const BUSY_TICK_MS = 250;
/** Smaller changes are left alone: a balloon's work is not free. */
const DEADBAND_KIB = 8 * MIB_KIB;
const SAMPLE_TIMEOUT_MS = 3_000;

/** Each safety mechanism can be switched off, from tests alone; the simulation must then find violations. */
export interface MemorySwitchOffs {
  readonly freeBeforeGive?: boolean;
  readonly journalBeforeSend?: boolean;
  readonly bootGrace?: boolean;
  readonly stuckExclusion?: boolean;
  readonly leaseCounts?: boolean;
}

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
  readonly #desk: LeaseDesk;
  readonly #hostListeners = new Set<() => void>();
  readonly #ledgerListeners = new Set<(entry: LedgerEntry) => void>();
  #policy: MemoryPolicy;
  #figures: HostFigures;
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
    this.#figures = ports.host();
    this.#policy = {
      mode: 'proportional',
      reserveKib: defaultReserveKib(this.#figures.totalKib),
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
    this.#figures = this.#ports.host();
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
    const bootGrace = this.#ports.switchOff?.bootGrace !== true;
    this.#vms.set(
      spec.id,
      new TrackedVm({ spec, bootKib, guest, targetKib, bootGrace, nowMs: this.#ports.clock.monotonicMs() }),
    );
  }

  detach(vmId: VmId, why: VmMemoryEvent): void {
    const vm = this.#vms.get(vmId);
    if (vm === undefined) return;
    this.#vms.delete(vmId);
    this.#ports.journal.dropTarget(vmId);
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
      budgetKib: budgetOf(this.#policy, this.#figures, 0),
      capKib: this.#policy.capKib,
    });
  }

  get policy(): MemoryPolicy {
    return this.#policy;
  }

  setPolicy(change: Partial<MemoryPolicy>): Result<MemoryPolicy> {
    const next = { ...this.#policy, ...change };
    if (next.reserveKib > this.#figures.totalKib / 2 + this.#figures.totalKib / 4) {
      return refuse({
        code: 'memory.bad-range',
        what: "The reserve would leave VMs less than a quarter of this computer's memory.",
        safe: 'Nothing was changed.',
        todo: 'Choose a smaller reserve.',
      });
    }
    this.#policy = next;
    this.#wake("The host's limits were changed");
    return ok(next);
  }

  preview(spec: VmSpec): StartPreview {
    this.#figures = this.#ports.host();
    return previewStart(this.#model(), spec);
  }

  vmMemory(spec: VmSpec): VmMemory {
    const vm = this.#vms.get(spec.id);
    return vm === undefined ? offMemory(spec) : vm.describe(this.#ports.clock.monotonicMs());
  }

  history(vmId: VmId, sinceMs: number): MemorySample[] {
    return this.#vms.get(vmId)?.history.filter(sample => sample.at > sinceMs) ?? [];
  }

  ledger(vmId: VmId | null, limit: number): LedgerEntry[] {
    return this.#ports.journal.ledger(vmId, limit);
  }

  hostMemory(): HostMemory {
    const model = this.#model();
    const now = this.#ports.clock.monotonicMs();
    const { totalKib, availableKib, ownKib } = this.#figures;
    return {
      totalKib,
      availableKib,
      ownKib,
      reserveKib: this.#policy.reserveKib,
      budgetKib: model.budgetKib,
      committedKib: totalCommittedKib(model),
      leasedKib: this.#desk.grantedKib(),
      freeKib: Math.max(0, poolKib(model)),
      compressionRatio: plan(model).compressionRatio,
      mode: this.#policy.mode,
      planAgeMs: Math.max(0, Math.round(now - this.#planAtMs)),
      vms: [...this.#vms.values()].map(vm => vm.describe(now)),
    };
  }

  // ── the loop ────────────────────────────────────────────────────────────────────────────────────────────────────

  #model(): HostModel {
    const now = this.#ports.clock.monotonicMs();
    const off = this.#ports.switchOff ?? {};
    const vms = [...this.#vms.values()].map(vm => vm.model(now, off.stuckExclusion === true));
    const residentKib = [...this.#vms.values()].reduce((sum, vm) => sum + (vm.residentKib ?? 0), 0);
    return {
      budgetKib: budgetOf(this.#policy, this.#figures, residentKib),
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
      this.#figures = this.#ports.host();
      await Promise.all([...this.#vms.values()].map(vm => this.#sample(vm)));
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
    const { clock } = this.#ports;
    let timer: { cancel(): void } | null = null;
    const late = new Promise<null>(resolve => {
      timer = clock.after(SAMPLE_TIMEOUT_MS, () => resolve(null));
    });
    try {
      const sample = await Promise.race([vm.guest.sample(), late]);
      const change = vm.observe(sample, { monotonicMs: clock.monotonicMs(), wallMs: clock.wallMs() });
      if (change === 'refusing') await this.#neutralise(vm);
      if (change === 'self-deflated')
        this.#narrator.note(selfDeflatedSentence(vm.spec.name, vm.actualKib ?? 0), 'note', vm);
      if (change === 'driver-ready') this.#narrator.because(`${vm.spec.name} can be balanced now`);
    } catch (cause) {
      vm.observe(null, { monotonicMs: clock.monotonicMs(), wallMs: clock.wallMs() });
      this.#ports.log(`memory: no figures from ${vm.spec.name}: ${String(cause)}`);
    } finally {
      (timer as { cancel(): void } | null)?.cancel();
    }
  }

  /** An unreachable target keeps a driver spinning: ask for what it has. It may then hold that much (M4). */
  async #neutralise(vm: TrackedVm): Promise<void> {
    const actual = vm.actualKib;
    if (actual === null || vm.targetKib === null) return;
    this.#narrator.note(refusedSentence(vm.spec.name, vm.targetKib, actual), 'refused', vm);
    const neutral = Math.ceil(actual / MIB_KIB) * MIB_KIB;
    // Only downwards costs nothing: a guest that did not grow is not promised less until asked for less.
    await this.#send(vm, { id: vm.id, targetKib: Math.min(neutral, vm.bootKib), kind: 'take' }, false);
  }

  async #round(): Promise<void> {
    const model = this.#model();
    const next = plan(model);
    const deadbandKib = this.#desk.isWaiting ? 0 : DEADBAND_KIB;
    const giveBeforeFree = this.#ports.switchOff?.freeBeforeGive === true;
    const commands = actuate(model, next, { deadbandKib, giveBeforeFree });
    this.#narrator.planned(next, commands, model);
    const results = await Promise.allSettled(commands.map(command => this.#command(command)));
    for (const result of results)
      if (result.status === 'rejected') this.#ports.log(`memory: a command failed: ${String(result.reason)}`);
    this.#desk.look(this.#model());
    this.#narrator.observed();
  }

  async #command(command: Command): Promise<void> {
    const vm = this.#vms.get(command.id);
    if (vm !== undefined) await this.#send(vm, command, true);
  }

  /** M9: journaled before it is sent; a target that may have been heard counts, whether or not it was. */
  async #send(vm: TrackedVm, command: Command, patience: boolean): Promise<void> {
    const now = this.#ports.clock.monotonicMs();
    if (!vm.maySend(now)) return;
    const higher = Math.max(command.targetKib, vm.targetKib ?? vm.bootKib);
    if (this.#ports.switchOff?.journalBeforeSend !== true) this.#ports.journal.putTarget(vm.id, higher);
    vm.willSend(command.targetKib, now, patience);
    await vm.guest.setTarget(command.targetKib);
    vm.sent(command.targetKib);
    this.#ports.journal.putTarget(vm.id, command.targetKib);
  }
}

function offMemory(spec: VmSpec): VmMemory {
  const { minKib, maxKib, weight, balanced } = spec;
  return {
    vmId: spec.id,
    minKib,
    maxKib,
    bootKib: null,
    targetKib: null,
    actualKib: null,
    residentKib: null,
    usedKib: null,
    overheadKib: 0,
    balloon: 'off',
    weight,
    balanced,
  };
}
