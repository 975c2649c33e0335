// Moves targets from where they are towards the best ones, lazily (M1, mode `demand`): memory moves when a VM
// is short of it, no more of it than that takes, and not back and forth. Pure.
import { ceilMib, floorMib, MIB_KIB } from '../../../shared/units.ts';
import { total } from './fill.ts';
import type { Ideal } from './ideal.ts';
import type { VmModel } from './model.ts';

export type Reason = 'stays' | 'range' | 'short' | 'urgent' | 'gives' | 'spare';

export interface Moves {
  readonly targets: Float64Array;
  readonly reasons: readonly Reason[];
  /** Indices of the VMs that wait for memory, the most urgent first. */
  readonly waiting: readonly number[];
}

/** A VM keeps memory that it was given for so long, unless there is no other way. */
const GIVEN_LOCK_MS = 20_000;
/** A VM that gave memory gets no spare memory for so long: it would soon be wanted back. */
const TAKEN_LOCK_MS = 30_000;
/** In overload needs change all the time: a VM that just changed, or lacks less than this share, waits. */
const FREEZE_MS = 15_000;
const FREEZE_SHARE = 0.08;
/** A buffer is refilled when less than this share is left: half a buffer leaves a guest's cache cold. */
const REFILL_SHARE = 0.75;
const URGENT_SHARE = 0.02;
const SPARE_SHARE = 0.05;

const isWithin = (atMs: number | null, spanMs: number, nowMs: number): boolean =>
  atMs !== null && nowMs - atMs < spanMs;

/** The VM's present target, clamped to its range. */
const positionOf = (vm: VmModel): number =>
  Math.min(Math.max(vm.targetKib ?? vm.bootKib, vm.minKib), Math.max(vm.minKib, floorMib(vm.ceilingKib)));

class Mover {
  readonly targets: Float64Array;
  readonly reasons: Reason[];
  readonly #vms: readonly VmModel[];
  readonly #ideal: Ideal;
  readonly #nowMs: number;
  /** What is left once every VM has reached its target; negative when too much is promised. */
  #freeKib: number;

  constructor(vms: readonly VmModel[], best: Ideal, sharedKib: number, nowMs: number) {
    this.#vms = vms;
    this.#ideal = best;
    this.#nowMs = nowMs;
    this.targets = Float64Array.from(vms, positionOf);
    this.reasons = vms.map((vm, index) =>
      this.targets[index] === (vm.targetKib ?? vm.bootKib) ? 'stays' : 'range',
    );
    this.#freeKib = sharedKib - total(this.targets);
  }

  run(): number[] {
    const waiting = this.#waiting();
    // What a slow guest owes comes too late for VMs that wait now: others give that much meanwhile (M4).
    const lateKib = this.#vms.reduce((sum, vm) => sum + vm.lateKib, 0);
    const needKib = waiting.reduce((sum, index) => sum + this.#gap(index), 0);
    const { keptKib } = this.#ideal;
    const wantedKib =
      waiting.length > 0 ? needKib + lateKib : this.#freeKib < keptKib / 4 ? floorMib(keptKib / 2) : 0;
    this.#take(wantedKib - this.#freeKib, waiting);
    for (const index of waiting) this.#give(index, this.#gap(index));
    if (waiting.length === 0) this.#spread(lateKib + this.#drain());
    return waiting;
  }

  #at(index: number): number {
    return this.targets[index] ?? 0;
  }

  #gap(index: number): number {
    return Math.max(0, (this.#ideal.buffer[index] ?? 0) - this.#at(index));
  }

  #isUrgent(index: number): boolean {
    return this.#vms[index]?.wants?.isUrgent === true;
  }

  #waiting(): number[] {
    const relative = (index: number): number => this.#gap(index) / (this.#ideal.buffer[index] ?? 1);
    return [...this.#vms.keys()]
      .filter(index => this.#isShort(index))
      .sort(
        (a, b) =>
          Number(this.#isUrgent(b)) - Number(this.#isUrgent(a)) ||
          relative(b) - relative(a) ||
          ((this.#vms[a]?.id ?? '') < (this.#vms[b]?.id ?? '') ? -1 : 1),
      );
  }

  /** The VM lacks a part of its buffer, or is urgent. */
  #isShort(index: number): boolean {
    const vm = this.#vms[index];
    const gap = this.#gap(index);
    if (vm === undefined || gap < MIB_KIB) return false;
    const isUrgent = this.#isUrgent(index);
    const working = this.#ideal.working[index] ?? 0;
    const buffer = this.#ideal.buffer[index] ?? 0;
    if (this.#ideal.isOverloaded && !(isUrgent && gap <= this.#freeKib)) {
      const isFrozen =
        isWithin(vm.grewAtMs, FREEZE_MS, this.#nowMs) || isWithin(vm.shrankAtMs, FREEZE_MS, this.#nowMs);
      return !isFrozen && gap >= FREEZE_SHARE * this.#at(index);
    }
    if (isUrgent) return gap >= URGENT_SHARE * this.#at(index);
    return this.#at(index) < working + (buffer - working) * REFILL_SHARE;
  }

  /** Takes from VMs above their best target, in proportion; from those just given memory only if pressed. */
  #take(wantedKib: number, waiting: readonly number[]): void {
    const isPressing = this.#freeKib < 0 || waiting.some(index => this.#isUrgent(index));
    let left = wantedKib;
    for (const isLocked of isPressing ? [false, true] : [false]) {
      if (left <= 0) return;
      left -= this.#takeFrom(isLocked, left);
    }
  }

  #takeFrom(isLocked: boolean, wantedKib: number): number {
    const over = this.#vms.map((vm, index) =>
      isWithin(vm.grewAtMs, GIVEN_LOCK_MS, this.#nowMs) === isLocked
        ? Math.max(0, this.#at(index) - (this.#ideal.rest[index] ?? 0))
        : 0,
    );
    const all = over.reduce((sum, kib) => sum + kib, 0);
    if (all <= 0) return 0;
    const share = Math.min(1, wantedKib / all);
    let taken = 0;
    for (const [index, kib] of over.entries()) {
      if (kib <= 0) continue;
      const part = Math.min(kib, ceilMib(kib * share));
      this.targets[index] = this.#at(index) - part;
      this.reasons[index] = 'gives';
      taken += part;
    }
    this.#freeKib += taken;
    return taken;
  }

  #give(index: number, kib: number): void {
    const part = floorMib(Math.min(kib, Math.max(0, this.#freeKib)));
    if (part <= 0) return;
    this.targets[index] = this.#at(index) + part;
    this.reasons[index] = this.#isUrgent(index) ? 'urgent' : 'short';
    this.#freeKib -= part;
  }

  /** M4: slow balloons give while nobody waits for them. Returns how much will come. */
  #drain(): number {
    let drainedKib = 0;
    for (const [index, vm] of this.#vms.entries()) {
      const over = this.#at(index) - (this.#ideal.rest[index] ?? 0);
      if (!vm.isSlow || over < SPARE_SHARE * vm.ceilingKib) continue;
      this.targets[index] = this.#at(index) - floorMib(over);
      this.reasons[index] = 'gives';
      drainedKib += floorMib(over);
    }
    this.#freeKib += drainedKib;
    return drainedKib;
  }

  /** Nobody waits: spare memory goes towards the best targets. `comingKib` is spare only once it is there. */
  #spread(comingKib: number): void {
    const spareKib = this.#freeKib - this.#ideal.keptKib - comingKib;
    if (spareKib < MIB_KIB) return;
    const gaps = this.#vms.map((vm, index) => {
      const best = this.#ideal.rest[index] ?? 0;
      const gap = best - this.#at(index);
      const isWorthIt = gap >= SPARE_SHARE * vm.ceilingKib || best === floorMib(vm.ceilingKib);
      return isWorthIt && !isWithin(vm.shrankAtMs, TAKEN_LOCK_MS, this.#nowMs) ? Math.max(0, gap) : 0;
    });
    const all = gaps.reduce((sum, gap) => sum + gap, 0);
    if (all <= 0) return;
    for (const [index, gap] of gaps.entries()) {
      const part = Math.min(gap, floorMib((gap * Math.min(all, spareKib)) / all));
      if (part < MIB_KIB) continue;
      this.targets[index] = this.#at(index) + part;
      this.reasons[index] = 'spare';
      this.#freeKib -= part;
    }
  }
}

export function moves(vms: readonly VmModel[], best: Ideal, sharedKib: number, nowMs: number): Moves {
  const mover = new Mover(vms, best, sharedKib, nowMs);
  const waiting = mover.run();
  return { targets: mover.targets, reasons: mover.reasons, waiting };
}
