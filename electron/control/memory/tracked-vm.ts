// One running VM as the manager knows it: what was asked, what was seen, how it answers. Folds samples; decides nothing.
import type { VmId } from '../../../shared/ids.ts';
import type { BalloonState, VmMemory } from '../../../shared/memory.ts';
import { floorMib } from '../../../shared/units.ts';
import type { VmSpec } from '../../../shared/vm.ts';
import type { AgentFigures, GuestPort, GuestSample } from '../ports.ts';
import { TOLERANCE_KIB } from './actuate.ts';
import { overheadKibOf } from './budget.ts';
import { type Doubt, insteadKib, type Known } from './doubt.ts';
import {
  type Estimate,
  foldEstimate,
  isStalling,
  swappedKib,
  usedKib,
  wantsOf,
  wantsUnheard,
} from './estimate.ts';
import { Footprint } from './footprint.ts';
import { foldLoading, hasLoaded, type Loading, RESET, UNSEEN } from './loading.ts';
import { committedKib, type Held, servedInNeed, type VmModel, type Wants } from './model.ts';
import { foldPace, isSlowPace, lateKib, USUAL_PACE } from './pace.ts';
import {
  asked,
  foldProgress,
  freshProgress,
  isQuarantined,
  isResting,
  type Progress,
  paused,
} from './progress.ts';
import { capped } from './range.ts';
import type { MemorySwitchOffs } from './switch-offs.ts';

/** At most four commands a second for one guest. */
const COMMAND_GAP_MS = 250;
/** A VM without any figures for so long is `blind`. */
const BLIND_MS = 10_000;
/** A guest that took memory back by itself ran short: for so long it is served like one that pages. */
const SELF_DEFLATED_MS = 5_000;
/** A driver is not waited for longer than this: no guest of ours takes longer to boot. */
const NO_DRIVER_MS = 300_000;
/** A VM that owes an answer for so long is planned around. A busy QEMU commonly hangs for less than that. */
const SILENT_MS = 3_000;

/** From tests alone. */
const NOTHING_UNSEEN = { unseenKib: 0, leftAloneKib: null };

export interface TrackedInput extends Known {
  readonly spec: VmSpec;
  readonly guest: GuestPort;
  readonly notedKib: number | null;
  readonly switchOff: MemorySwitchOffs;
  readonly nowMs: number;
}

export type Observed = 'driver-ready' | 'refusing' | 'self-deflated' | null;

export class TrackedVm {
  readonly id: VmId;
  readonly bootKib: number;
  guest: GuestPort;
  spec: VmSpec;
  targetKib: number | null;
  actualKib: number | null = null;
  readonly footprint: Footprint;
  usedKib: number | null = null;
  freeKib: number | null = null;
  /** The target the ledger last told of. */
  announcedKib: number | null = null;
  readonly #switchOff: MemorySwitchOffs;
  /** The overhead of its QEMU in the journal; null: none. */
  notedKib: number | null;
  #isSeen = false;
  #isDriverReady = false;
  #loading: Loading = UNSEEN;
  /** When it began to boot, or was last seen with a driver. */
  #bootsSinceMs: number;
  #isPaused = false;
  #progress: Progress;
  #lastSendMs = Number.NEGATIVE_INFINITY;
  #isSending = false;
  #isSampling = false;
  /** Since when it owes an answer to a question; null: it owes none. */
  #askedAtMs: number | null = null;
  #isSilenceTold = false;
  #sends = 0;
  #resets = 0;
  #mayHoldKib = 0;
  /** Doubt about its last target; null: none. */
  #doubt: Doubt | null;
  #lastSampleMs: number;
  #estimate: Estimate | null = null;
  #agent: AgentFigures | null = null;
  #shrankAtMs: number | null = null;
  #grewAtMs: number | null = null;
  #selfDeflatedAtMs = Number.NEGATIVE_INFINITY;
  /** How fast its balloon was last seen to move towards its target. */
  #paceKibPerS = USUAL_PACE;

  constructor({ spec, bootKib, guest, targetKib, isNew, notedKib, switchOff, nowMs }: TrackedInput) {
    this.id = spec.id;
    this.spec = spec;
    this.guest = guest;
    this.bootKib = bootKib;
    this.targetKib = targetKib;
    this.#switchOff = switchOff;
    this.#doubt = isNew || (targetKib === null && switchOff.toldAnew === true) ? null : 'unsure';
    this.notedKib = notedKib;
    this.#progress = freshProgress(bootKib, nowMs);
    this.footprint = new Footprint({ bootKib, overheadKib: overheadKibOf(bootKib, notedKib), nowMs });
    this.#lastSampleMs = nowMs;
    this.#bootsSinceMs = nowMs;
  }

  /** M9: firmware and a new kernel may use all of `-m`, whatever `actual` still says. */
  wasReset(nowMs: number): void {
    this.#bootsSinceMs = nowMs;
    this.#isDriverReady = false;
    this.#loading = RESET;
    this.#estimate = null;
    this.#agent = null;
    this.#resets++;
  }

  /** The VM slept with its host: that it did nothing meanwhile is no sign of anything. */
  slept(nowMs: number): void {
    this.#progress = paused(this.#progress, nowMs);
    this.#lastSampleMs = nowMs;
    if (this.#askedAtMs !== null) this.#askedAtMs = nowMs;
    this.#bootsSinceMs = nowMs;
  }

  /** M4: the VM does not answer. What it may hold stays its own; nobody waits for what it would give. */
  isSilent(nowMs: number): boolean {
    const isLate = (sinceMs: number): boolean => nowMs - sinceMs > SILENT_MS;
    return (
      (this.#askedAtMs !== null && isLate(this.#askedAtMs)) || (this.#isSending && isLate(this.#lastSendMs))
    );
  }

  /** True once for each silence. */
  fellSilent(nowMs: number): boolean {
    const wasTold = this.#isSilenceTold;
    this.#isSilenceTold = this.isSilent(nowMs);
    return this.#isSilenceTold && !wasTold;
  }

  /** QEMU's need beyond its guest's memory: as measured, or the usual figure. */
  get overheadKib(): number {
    return this.footprint.overheadKib;
  }

  get residentKib(): number | null {
    return this.footprint.residentKib;
  }

  get isMoving(): boolean {
    return (
      this.targetKib !== null &&
      this.actualKib !== null &&
      Math.abs(this.actualKib - this.targetKib) > TOLERANCE_KIB
    );
  }

  /** The target to send instead of one in doubt (doubt.ts); null: no doubt, or it cannot be asked now. */
  saferKib(isOverdrawn: boolean): number | null {
    if (this.#doubt === null || !this.#isDriverReady || this.#isSending || this.actualKib === null)
      return null;
    return insteadKib(this.#doubt, {
      actualKib: this.actualKib,
      askedKib: this.targetKib ?? this.bootKib,
      bootKib: this.bootKib,
      minKib: this.spec.minKib,
      isOverdrawn,
    });
  }

  /** Nobody knows whether the guest heard its last target. */
  get isUnsure(): boolean {
    return this.#doubt === 'unsure';
  }

  setAside(): void {
    this.#doubt = 'in-vain';
  }

  /** 0: now. One at a time: with two targets under way nobody knows which one the guest follows. */
  waitToSendMs(nowMs: number): number {
    return this.#isSending ? COMMAND_GAP_MS : Math.max(0, this.#lastSendMs + COMMAND_GAP_MS - nowMs);
  }

  /** Until QEMU has answered, the guest may follow the old or the new target: the higher one counts. */
  willSend(targetKib: number, nowMs: number, isNewPatience: boolean): void {
    this.#lastSendMs = nowMs;
    this.#isSending = true;
    this.#doubt = null;
    const beforeKib = this.targetKib ?? this.bootKib;
    if (targetKib < beforeKib) this.#shrankAtMs = nowMs;
    if (targetKib > beforeKib) this.#grewAtMs = nowMs;
    if (isNewPatience) this.#progress = asked(this.#progress, this.targetKib, targetKib, nowMs);
    this.targetKib = Math.max(targetKib, this.targetKib ?? this.bootKib);
  }

  /** The guest followed the old target until it heard the new one; earlier samples do not tell how far. */
  sent(targetKib: number): void {
    this.#isSending = false;
    this.#sends++;
    if (this.#switchOff.freshSample !== true)
      this.#mayHoldKib = Math.max(this.#mayHoldKib, this.targetKib ?? this.bootKib);
    this.targetKib = targetKib;
  }

  /** The guest may have heard the target or not: the higher of old and new stays promised. */
  notSent(): void {
    this.#isSending = false;
    this.#doubt = 'unsure';
  }

  /** Null while an earlier question is open (a silent guest is not asked again, M4), or after a reset. */
  async ask(nowMs: number): Promise<GuestSample | null> {
    if (this.#isSampling) return null;
    this.#isSampling = true;
    this.#askedAtMs ??= nowMs;
    const [sends, resets] = [this.#sends, this.#resets];
    try {
      const sample = await this.guest.sample();
      // The sample speaks of the guest before the reset.
      if (resets !== this.#resets) return null;
      if (sends === this.#sends && !this.#isSending) this.#mayHoldKib = 0;
      return sample;
    } finally {
      this.#isSampling = false;
    }
  }

  /** The host's figure, as of now. */
  lookAtHost(): number | null {
    this.footprint.residentKib = this.guest.residentKib?.() ?? this.residentKib;
    return this.residentKib;
  }

  observe(sample: GuestSample, { monotonicMs, wallMs }: { monotonicMs: number; wallMs: number }): Observed {
    const seconds = (monotonicMs - this.#lastSampleMs) / 1000;
    const beforeKib = this.actualKib;
    // A QEMU that hung moved no balloon either: that was no refusal.
    if (this.isSilent(monotonicMs)) this.#progress = paused(this.#progress, monotonicMs);
    this.#askedAtMs = null;
    this.#lastSampleMs = monotonicMs;
    this.#isSeen = true;
    this.actualKib = sample.actualKib;
    const { actualKib, targetKib } = this;
    this.#paceKibPerS = foldPace(this.#paceKibPerS, { beforeKib, actualKib, targetKib, seconds });
    this.footprint.residentKib = sample.residentKib;
    this.#isPaused = sample.paused;
    this.usedKib = usedKib(sample, wallMs);
    this.freeKib = this.usedKib === null ? null : (sample.stats?.freeKib ?? null);
    this.#agent = sample.agent ?? null;
    if (this.usedKib !== null && sample.stats !== null && this.actualKib !== null)
      this.#estimate = foldEstimate(this.#estimate, {
        stats: sample.stats,
        actualKib: this.actualKib,
        beforeKib: beforeKib ?? this.actualKib,
        residentKib: this.residentKib,
        swappedKib: swappedKib(this.#agent, monotonicMs),
        atMs: monotonicMs,
      });
    this.#loading = foldLoading(this.#loading, sample, monotonicMs);
    const isDriverReady =
      sample.driverReady &&
      (this.#isDriverReady ||
        this.#switchOff.driverSettles === true ||
        hasLoaded(this.#loading, sample, { bootKib: this.bootKib, nowMs: monotonicMs }));
    if (isDriverReady || sample.paused) this.#bootsSinceMs = monotonicMs;
    const becameReady = !this.#isDriverReady && isDriverReady;
    this.#isDriverReady = isDriverReady;
    this.#measureFootprint(beforeKib, monotonicMs);
    if (becameReady) {
      this.#progress = freshProgress(this.actualKib ?? this.bootKib, monotonicMs);
      return 'driver-ready';
    }
    return this.#judge(monotonicMs);
  }

  #judge(nowMs: number): Observed {
    // A paused guest cannot move; that is no refusal.
    if (!this.#isDriverReady || this.targetKib === null || this.actualKib === null) return null;
    if (this.#isPaused) {
      this.#progress = paused(this.#progress, nowMs);
      return null;
    }
    const before = this.#progress;
    this.#progress = foldProgress(before, this.targetKib, this.actualKib, nowMs);
    if (this.#progress.state === 'refusing' && this.#progress.strikes > before.strikes) return 'refusing';
    if (this.#progress.restUntilMs <= before.restUntilMs) return null;
    // Never fight an OOM: a resting guest is not left with a target it cannot keep to.
    this.#doubt = 'in-vain';
    this.#selfDeflatedAtMs = nowMs;
    return isResting(before, nowMs) ? null : 'self-deflated';
  }

  #measureFootprint(beforeKib: number | null, nowMs: number): void {
    const actualKib = this.actualKib ?? this.bootKib;
    const mostKib = Math.max(this.targetKib ?? this.bootKib, this.#mayHoldKib);
    const share = {
      actualKib,
      beforeKib: beforeKib ?? actualKib,
      mostKib,
      isDriverReady: this.#isDriverReady,
      isFixed: this.#held(nowMs) === 'no-balloon',
    };
    this.footprint.observe(share, nowMs);
  }

  #held(nowMs: number, ignoreStuck = this.#switchOff.stuckExclusion === true): Held | null {
    // Before the first sample it is not known to be without a driver.
    if (!this.spec.balloon || (this.#isSeen && this.actualKib === null && !this.#isDriverReady))
      return 'no-balloon';
    if (!this.#isDriverReady && this.#switchOff.bootGrace !== true)
      return nowMs - this.#bootsSinceMs > NO_DRIVER_MS ? 'no-balloon' : 'booting';
    if (this.#switchOff.silentExclusion !== true && this.isSilent(nowMs)) return 'silent';
    if (this.#isPaused) return 'paused';
    if (!this.spec.balanced) return 'unbalanced';
    if (!ignoreStuck && isQuarantined(this.#progress, nowMs)) return 'quarantined';
    return isResting(this.#progress, nowMs) ? 'resting' : null;
  }

  model(nowMs: number, capKib: number | null): VmModel {
    const { minKib, maxKib } = capped(this.spec, capKib);
    const ceilingKib = Math.min(maxKib, this.bootKib);
    const { unseenKib, leftAloneKib } =
      this.#switchOff.unseenCounts === true ? NOTHING_UNSEEN : this.footprint;
    const leastKib = Math.max(minKib, floorMib(leftAloneKib ?? 0));
    const vm: VmModel = {
      id: this.id,
      name: this.spec.name,
      minKib: Math.min(leastKib, ceilingKib),
      ceilingKib,
      bootKib: this.bootKib,
      targetKib: this.targetKib,
      actualKib: this.actualKib,
      mayHoldKib: Math.max(this.#mayHoldKib, unseenKib),
      usedKib: this.usedKib,
      overheadKib: this.overheadKib,
      weight: this.spec.weight,
      wants: this.#wants(nowMs),
      shrankAtMs: this.#shrankAtMs,
      grewAtMs: this.#grewAtMs,
      lateKib: lateKib(this.#paceKibPerS, (this.actualKib ?? 0) - (this.targetKib ?? this.bootKib)),
      isSlow: isSlowPace(this.#paceKibPerS),
      hasRefused: this.#progress.strikes > 0 && this.#progress.state !== 'slow',
      held: this.#held(nowMs),
    };
    return this.#switchOff.needInQuarantine === true ? vm : servedInNeed(vm);
  }

  #wants(nowMs: number): Wants | null {
    const told = wantsOf(this.#estimate, nowMs, this.#paceKibPerS);
    const middleKib = (this.spec.minKib + Math.min(this.spec.maxKib, this.bootKib)) / 2;
    const wants = told ?? (this.residentKib === null ? null : wantsUnheard(this.residentKib, middleKib));
    const ranShort =
      nowMs - this.#selfDeflatedAtMs < SELF_DEFLATED_MS || isStalling(this.#agent, this, nowMs);
    return wants !== null && ranShort ? { ...wants, isUrgent: true } : wants;
  }

  #balloonState(nowMs: number): BalloonState {
    if (nowMs - this.#lastSampleMs > BLIND_MS) return 'blind';
    switch (this.#held(nowMs, false)) {
      case 'no-balloon':
        return 'no-driver';
      case 'booting':
        return 'booting';
      case 'silent':
        return 'blind';
      case 'unbalanced':
        return 'fixed';
      default:
        return this.footprint.isKeeping ? 'no-return' : this.#progress.state;
    }
  }

  describe(nowMs: number): VmMemory {
    return {
      vmId: this.id,
      minKib: this.spec.minKib,
      maxKib: this.spec.maxKib,
      bootKib: this.bootKib,
      targetKib: this.targetKib ?? this.bootKib,
      actualKib: this.actualKib,
      residentKib: this.residentKib,
      usedKib: this.usedKib,
      overheadKib: this.overheadKib,
      committedKib: committedKib(this.model(nowMs, null)),
      balloon: this.#balloonState(nowMs),
      weight: this.spec.weight,
      balanced: this.spec.balanced,
    };
  }
}
