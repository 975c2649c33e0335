// What a range may be (M10). Pure; the same check for window, CLI and stored specs.
import { type MemoryRange, VM_MIN_KIB } from '../../../shared/memory.ts';
import { ok, type Result, refuse } from '../../../shared/result.ts';
import { amountText, ceilMib, floorMib } from '../../../shared/units.ts';

export interface RangeLimits {
  /** What VMs may use in all on this host. */
  readonly budgetKib: number;
  /** Per VM; null: none. */
  readonly capKib: number | null;
}

/** M10: the range as the cap limits it; a stored range may be older than the cap. */
export function capped<R extends MemoryRange>(range: R, capKib: number | null): R {
  if (capKib === null) return range;
  const mostKib = floorMib(capKib);
  return {
    ...range,
    minKib: Math.min(range.minKib, mostKib),
    maxKib: Math.min(range.maxKib, mostKib),
  };
}

/** Rounded to whole MiB: a minimum up, a maximum down. */
export function checkRange({ minKib, maxKib }: MemoryRange, limits: RangeLimits): Result<MemoryRange> {
  const range = {
    minKib: ceilMib(minKib),
    maxKib: floorMib(maxKib),
  };
  const bad = (
    code: 'memory.bad-range' | 'memory.over-host' | 'memory.over-cap',
    what: string,
    todo: string,
  ) => refuse({ code, what, safe: 'Nothing was changed.', todo, data: { minKib, maxKib } });
  // NaN is neither above nor below anything: it would pass all that follows.
  if (Number.isNaN(range.minKib) || Number.isNaN(range.maxKib)) {
    return bad(
      'memory.bad-range',
      'The minimum or the maximum is not a number.',
      'Give both as amounts of memory.',
    );
  }
  if (range.minKib > range.maxKib) {
    return bad(
      'memory.bad-range',
      `The minimum, ${amountText(minKib)}, is above the maximum, ${amountText(maxKib)}.`,
      'Choose a minimum that is not above the maximum.',
    );
  }
  if (range.minKib < VM_MIN_KIB) {
    return bad(
      'memory.bad-range',
      `The minimum is ${amountText(minKib)}; a VM needs at least ${amountText(VM_MIN_KIB)}.`,
      `Choose ${amountText(VM_MIN_KIB)} or more.`,
    );
  }
  if (limits.capKib !== null && range.maxKib > limits.capKib) {
    return bad(
      'memory.over-cap',
      `The maximum, ${amountText(maxKib)}, is above the limit of ${amountText(limits.capKib)} per VM.`,
      `Choose ${amountText(limits.capKib)} or less.`,
    );
  }
  if (range.maxKib > limits.budgetKib) {
    return bad(
      'memory.over-host',
      `The maximum, ${amountText(maxKib)}, is more than VMs may use on this computer: ${amountText(limits.budgetKib)}.`,
      `Choose ${amountText(limits.budgetKib)} or less, or lower the host's reserve.`,
    );
  }
  return ok(range);
}
