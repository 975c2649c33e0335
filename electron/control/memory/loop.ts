// The memory manager's loop: samples guests and host, plans, actuates, tells. No arithmetic of policy here: plan.ts,
// actuate.ts and progress.ts decide (M1). One exception never stops it (M5).
import type { VmId } from '../../../shared/ids.ts';
import { MIB_KIB } from '../../../shared/units.ts';
import type { Clock } from '../../platform/ports.ts';
import { actuate, type Command } from './actuate.ts';
import type { Backstop } from './backstop.ts';
import { type HostFigures, overheadKibOf } from './budget.ts';
import type { Histories } from './histories.ts';
import {
  CALM,
  foldHostState,
  type HostSigns,
  type HostState,
  type HostStateFold,
  isAtLeast,
} from './host-state.ts';
import type { MemoryJournal } from './journal.ts';
import type { LeaseDesk } from './lease-desk.ts';
import { committedKib, type HostModel, poolKib } from './model.ts';
import type { Narrator } from './narrator.ts';
import { plan } from './plan.ts';
import { type Clocks, hasSlept } from './sleep.ts';
import type { MemorySwitchOffs } from './switch-offs.ts';
import type { TrackedVm } from './tracked-vm.ts';
import {
  hostStateSentence,
  keptSentence,
  refusedSentence,
  selfDeflatedSentence,
  silentSentence,
  unnotedSentence,
} from './words.ts';

const TICK_MS = 1_000;
/** While the host is short of memory, a start waits for some, or a balloon moves. */
const BUSY_TICK_MS = 250;
/** On battery, while nothing changes. */
const SAVING_TICK_MS = 5_000;
/** Smaller changes are left alone: a balloon's work is not free. */
export const DEADBAND_KIB = 8 * MIB_KIB;
/** A plan waits no longer for guests that are slow to answer; a later answer counts in the next plan (M4). */
const PATIENCE_MS = 100;

export interface LoopPorts {
  readonly clock: Clock;
  readonly journal: MemoryJournal;
  readonly log: (line: string) => void;
  readonly switchOff: MemorySwitchOffs;
  readonly vms: ReadonlyMap<VmId, TrackedVm>;
  readonly histories: Histories;
  readonly desk: LeaseDesk;
  readonly narrator: Narrator;
  readonly backstop: Backstop;
  readonly model: () => HostModel;
  /** Samples the host's figures. */
  readonly look: () => HostFigures & Pick<HostSigns, 'isOverdrawn'>;
  /** This computer slept: what the host's use was says nothing about now. */
  readonly woke: () => void;
  /** After each round. */
  readonly done: () => void;
}

export class MemoryLoop {
  readonly #ports: LoopPorts;
  #planAtMs: number;
  /** M9: no plan before every running VM was adopted, because until then what VMs hold looks free. */
  #hasBegun = false;
  #isTicking = false;
  #isAgain = false;
  /** How long until a command that came too soon may be sent. */
  #deferredMs = Number.POSITIVE_INFINITY;
  /** M5: ends a round's waiting, or the plan for an event would come after the patience of two rounds. */
  #hurry: () => void = () => undefined;
  #isStopped = false;
  #nextTick: { cancel(): void } | null = null;
  #host: HostStateFold = CALM;
  #clocks: Clocks;
  #isOnBattery = false;
  /** Why the last round failed; null: it did not. */
  #failure: string | null = null;
  /** M9: since when targets cannot be noted in the journal and so are not sent; null: they can. */
  #unnoted: { readonly sinceMs: number; cause: unknown; isNow: boolean } | null = null;

  constructor(ports: LoopPorts) {
    this.#ports = ports;
    this.#planAtMs = ports.clock.monotonicMs();
    this.#clocks = this.#now();
  }

  #now(): Clocks {
    const { clock } = this.#ports;
    return { wallMs: clock.wallMs(), monotonicMs: clock.monotonicMs() };
  }

  setOnBattery(isOnBattery: boolean): void {
    this.#isOnBattery = isOnBattery;
    this.#schedule(0);
  }

  begin(): void {
    this.#hasBegun = true;
    this.#clocks = this.#now();
  }

  stop(): void {
    this.#isStopped = true;
    this.#nextTick?.cancel();
  }

  /** M5: the age of the last good plan. */
  get planAgeMs(): number {
    return Math.max(0, Math.round(this.#ports.clock.monotonicMs() - this.#planAtMs));
  }

  get hostState(): HostState {
    return this.#host.state;
  }

  wake(cause: string | null): void {
    if (cause !== null) this.#ports.narrator.because(cause);
    this.#schedule(0);
  }

  #schedule(delayMs: number): void {
    if (this.#isStopped || !this.#hasBegun) return;
    if (this.#isTicking) {
      this.#isAgain ||= delayMs === 0;
      if (delayMs === 0) this.#hurry();
      return;
    }
    this.#nextTick?.cancel();
    this.#nextTick = this.#ports.clock.after(delayMs, () => void this.#tick());
  }

  /** One round: sample, plan, actuate, tell. Never rejects (M5). */
  async #tick(): Promise<void> {
    if (this.#isTicking || this.#isStopped) return;
    this.#isTicking = true;
    try {
      this.#noticeSleep();
      await this.#within([...this.#ports.vms.values()].map(vm => this.#sample(vm)));
      this.#noticeSilence();
      this.#watchHost(this.#ports.look());
      await this.#round();
      this.#planAtMs = this.#ports.clock.monotonicMs();
      this.#failure = null;
    } catch (cause) {
      this.#failed(cause);
    } finally {
      this.#isTicking = false;
      const isBusy =
        this.#host.state !== 'ok' ||
        this.#ports.desk.isWaiting ||
        [...this.#ports.vms.values()].some(vm => vm.isMoving);
      const restMs = this.#isOnBattery ? SAVING_TICK_MS : TICK_MS;
      this.#schedule(this.#isAgain ? 0 : Math.min(this.#deferredMs, isBusy ? BUSY_TICK_MS : restMs));
      this.#isAgain = false;
      this.#deferredMs = Number.POSITIVE_INFINITY;
    }
    try {
      this.#ports.done();
    } catch (cause) {
      this.#failed(cause);
    }
  }

  /** The same failure in round after round is logged once. */
  #failed(cause: unknown): void {
    const failure = String(cause);
    if (failure === this.#failure) return;
    this.#failure = failure;
    this.#ports.log(
      `memory: a round failed: ${cause instanceof Error ? (cause.stack ?? cause.message) : failure}`,
    );
  }

  #noticeSleep(): void {
    const [before, now] = [this.#clocks, this.#now()];
    this.#clocks = now;
    if (!hasSlept(before, now)) return;
    for (const vm of this.#ports.vms.values()) vm.slept(now.monotonicMs);
    this.#ports.woke();
    this.#ports.narrator.because('This computer woke up');
  }

  /** M7: told, because the other VMs will be asked for what a silent one does not give. */
  #noticeSilence(): void {
    const nowMs = this.#ports.clock.monotonicMs();
    for (const vm of this.#ports.vms.values())
      if (vm.fellSilent(nowMs)) this.#ports.narrator.note(silentSentence(vm.spec.name), 'note', vm);
  }

  #watchHost(signs: HostSigns): void {
    const was = this.#host.state;
    const { availableKib, stalled } = signs;
    this.#host = foldHostState(this.#host, signs, this.#ports.clock.monotonicMs());
    const { state } = this.#host;
    // Below `critical` a state asks nothing of VMs and is no news (M7).
    if (state === was || !(isAtLeast(state, 'critical') || isAtLeast(was, 'critical'))) return;
    this.#ports.narrator.tell(hostStateSentence(state, availableKib, stalled));
  }

  /** A silent guest keeps its last figures and delays nobody (M4). */
  async #sample(vm: TrackedVm): Promise<void> {
    try {
      const sample = await vm.ask(this.#ports.clock.monotonicMs());
      if (sample === null) return;
      // The VM or this manager may have ended before the guest answered.
      if (this.#isStopped || this.#ports.vms.get(vm.id) !== vm) return;
      const { clock } = this.#ports;
      const at = clock.wallMs();
      const change = vm.observe(sample, { monotonicMs: clock.monotonicMs(), wallMs: at });
      // M9: the next control must not take for free what this QEMU was seen to need.
      if (this.#ports.switchOff.overheadJournal !== true) this.#noteOverhead(vm);
      const { targetKib, actualKib, usedKib } = vm;
      this.#ports.histories.note(vm.id, { at, targetKib, actualKib, usedKib });
      const keptKib = vm.footprint.keptNewsKib(vm.actualKib);
      if (keptKib !== null) this.#ports.narrator.note(keptSentence(vm.spec.name, keptKib), 'note', vm);
      if (change === 'refusing') this.#setAside(vm);
      if (change === 'self-deflated')
        this.#ports.narrator.note(selfDeflatedSentence(vm.spec.name, vm.actualKib ?? 0), 'note', vm);
      if (change === 'driver-ready') this.#ports.narrator.because(`${vm.spec.name} can be balanced now`);
    } catch (cause) {
      // A guest that stays silent was told of once already.
      if (!vm.isSilent(this.#ports.clock.monotonicMs()))
        this.#ports.log(`memory: no figures from ${vm.spec.name}: ${String(cause)}`);
    }
  }

  /** Waits for all of them, but no longer than a plan waits. */
  #within(all: readonly Promise<void>[]): Promise<unknown> {
    if (all.length === 0) return Promise.resolve();
    return new Promise(resolve => {
      const timer = this.#ports.clock.after(PATIENCE_MS, () => resolve(null));
      this.#hurry = () => {
        timer.cancel();
        resolve(null);
      };
      void Promise.allSettled(all).then(this.#hurry);
    });
  }

  /** An unreachable target keeps a driver spinning: once it listens, it is asked for what it has (M4). */
  #setAside(vm: TrackedVm): void {
    const { actualKib, targetKib } = vm;
    vm.setAside();
    if (actualKib !== null && targetKib !== null)
      this.#ports.narrator.note(refusedSentence(vm.spec.name, targetKib, actualKib), 'refused', vm);
  }

  async #round(): Promise<void> {
    const nowMs = this.#ports.clock.monotonicMs();
    if (this.#unnoted !== null) this.#unnoted.isNow = false;
    const model = this.#ports.model();
    for (const vm of model.vms)
      this.#ports.backstop.follow(vm.id, committedKib(vm), this.#ports.vms.get(vm.id)?.residentKib ?? null);
    const next = plan(model, nowMs);
    const { state } = this.#host;
    const isFrozen = state === 'emergency';
    const commands = actuate(model, next, {
      deadbandKib: this.#ports.desk.isWaiting || isAtLeast(state, 'critical') ? 0 : DEADBAND_KIB,
      isFrozen,
      giveBeforeFree: this.#ports.switchOff.freeBeforeGive === true,
    });
    this.#ports.narrator.planned({ model, nowMs, plan: next, commands });
    const safer = this.#safer(commands, poolKib(model) < 0);
    await this.#within([
      ...commands
        .filter(({ id }) => safer.every(first => first.id !== id))
        .map(command => this.#send(command, true)),
      ...safer.map(command => this.#send(command, false)),
    ]);
    this.#ports.desk.look(this.#ports.model(), isFrozen);
    this.#ports.narrator.observed();
    this.#judgeNotes(nowMs);
  }

  /** A round that could not note, and so not send, a target has failed (M5). When that is over it is told. */
  #judgeNotes(nowMs: number): void {
    const unnoted = this.#unnoted;
    if (unnoted === null) return;
    if (unnoted.isNow) throw unnoted.cause;
    this.#ports.narrator.tell(unnotedSentence((nowMs - unnoted.sinceMs) / 1000));
    this.#unnoted = null;
  }

  /** Commands for guests whose last target is in doubt or in vain. */
  #safer(commands: readonly Command[], isOverdrawn: boolean): Command[] {
    const safer: Command[] = [];
    for (const vm of this.#ports.vms.values()) {
      const { id } = vm;
      const saferKib = vm.saferKib(isOverdrawn);
      // The guest may never have heard its promise: a lower target might still give it memory (M2, M9).
      const isFirst = isOverdrawn && vm.isUnsure;
      if (saferKib !== null && (isFirst || commands.every(command => command.id !== id)))
        safer.push({ id, targetKib: saferKib, kind: 'take' });
    }
    return safer;
  }

  /** M9: a target is journaled before it is sent; one that the guest may have heard counts as promised. */
  async #send(command: Command, patience: boolean): Promise<void> {
    const vm = this.#ports.vms.get(command.id);
    const now = this.#ports.clock.monotonicMs();
    if (vm === undefined) return;
    const waitMs = vm.waitToSendMs(now);
    if (waitMs > 0) {
      // The command is not lost: the next round comes as soon as it may be sent, and plans it anew (M5).
      this.#deferredMs = Math.min(this.#deferredMs, waitMs);
      return;
    }
    const higher = Math.max(command.targetKib, vm.targetKib ?? vm.bootKib);
    if (this.#ports.switchOff.journalBeforeSend !== true && !this.#noteTarget(vm, higher)) return;
    // M2: the guest may touch what it is given as soon as it hears of it.
    if (this.#ports.switchOff.raiseFirst !== true) this.#ports.backstop.raise(vm.id, higher + vm.overheadKib);
    vm.willSend(command.targetKib, now, patience);
    try {
      await vm.guest.setTarget(command.targetKib);
      vm.sent(command.targetKib);
      // Where this cannot be noted, the higher target stays noted: the safe side.
      if (this.#ports.vms.get(vm.id) === vm) this.#noteTarget(vm, command.targetKib);
    } catch (cause) {
      vm.notSent();
      this.#ports.log(`memory: a command failed: ${String(cause)}`);
    }
  }

  #noteTarget(vm: TrackedVm, targetKib: number): boolean {
    return this.#note(() => this.#ports.journal.putTarget(vm.id, targetKib));
  }

  #noteOverhead(vm: TrackedVm): void {
    const { overheadKib, notedKib } = vm;
    // A first measurement is noted even where QEMU needs no more than is usual.
    const isNews = notedKib === null && vm.footprint.isMeasured;
    const isMore = overheadKib > overheadKibOf(vm.bootKib, notedKib);
    if ((isNews || isMore) && this.#note(() => this.#ports.journal.putOverhead(vm.id, overheadKib)))
      vm.notedKib = overheadKib;
  }

  #note(write: () => void): boolean {
    try {
      write();
      return true;
    } catch (cause) {
      this.#unnoted = { sinceMs: this.#ports.clock.monotonicMs(), ...this.#unnoted, cause, isNow: true };
      return false;
    }
  }
}
