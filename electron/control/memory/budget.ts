// The host's budget: what all VMs together may use (M2, M10). Pure.

import { type HostMemory, VM_MIN_KIB } from '../../../shared/memory.ts';
import { ok, type Result, refuse } from '../../../shared/result.ts';
import { amountText, floorMib, GIB_KIB, MIB_KIB } from '../../../shared/units.ts';
import type { MemoryPressure } from '../../platform/host-memory.ts';

export interface HostFigures {
  readonly totalKib: number;
  readonly availableKib: number;
  /** Ebb's own processes. */
  readonly ownKib: number;
  /** Percent of the last ten seconds in which every program waited for memory; null where the host does not say. */
  readonly stalled: number | null;
  /** The host's own verdict on its memory; absent or null where it gives none. */
  readonly pressure?: MemoryPressure | null;
}

export interface MemoryPolicy {
  readonly mode: HostMemory['mode'];
  /** Never given to a VM. */
  readonly reserveKib: number;
  /** A limit for all VMs together that is lower than total − reserve; null: none. */
  readonly budgetKib: number | null;
  readonly capKib: number | null;
}

/** Room kept beside the host's own use when that use is more than the reserve. */
const HOST_MARGIN_KIB = 256 * MIB_KIB;
/**
 * Kept for each further QEMU that starts unmeasured while one already does. A booting guest cannot be asked
 * to make up for what its QEMU turns out to need, and the margin above covers one. The QEMUs we measured
 * needed 105 MiB in all; the default is 150 MiB and 1 %.
 */
export const UNMEASURED_KIB = 192 * MIB_KIB;
/** The host's use flutters; the budget moves in steps so that it does not. */
const HOST_STEP_KIB = 128 * MIB_KIB;

export const defaultReserveKib = (totalKib: number): number => Math.max(GIB_KIB, floorMib(totalKib / 4));

/** Refuses a policy under which no VM could ever start: that is a slip of the hand (M10). */
export function checkPolicy(policy: MemoryPolicy, totalKib: number): Result<MemoryPolicy> {
  const bad = (what: string, todo: string) =>
    refuse({ code: 'memory.bad-range', what, safe: 'Nothing was changed.', todo });
  if (policy.reserveKib > (totalKib / 4) * 3)
    return bad(
      "The reserve would leave VMs less than a quarter of this computer's memory.",
      'Choose a smaller reserve.',
    );
  for (const [name, kib] of [
    ['budget', policy.budgetKib],
    ['limit per VM', policy.capKib],
  ] as const)
    if (kib !== null && kib < VM_MIN_KIB)
      return bad(
        `The ${name} would be ${amountText(kib)}; a VM needs at least ${amountText(VM_MIN_KIB)}.`,
        `Choose ${amountText(VM_MIN_KIB)} or more, or none.`,
      );
  return ok(policy);
}

/** `useKib`: what the host's own programs use. `marginKib`: kept beside that use; less only in tests. */
export function budgetOf(
  policy: MemoryPolicy,
  totalKib: number,
  useKib: number,
  marginKib = HOST_MARGIN_KIB,
): number {
  const steps = Math.ceil((useKib + marginKib) / HOST_STEP_KIB) * HOST_STEP_KIB;
  const free = totalKib - Math.max(policy.reserveKib, steps);
  return Math.max(0, Math.min(free, policy.budgetKib ?? free));
}

/** `measuredKib`: QEMU's overhead in an earlier run, which it may need again; null: never measured. */
export const overheadKibOf = (bootKib: number, measuredKib: number | null): number =>
  Math.max(defaultOverheadKib(bootKib), measuredKib ?? 0);

/** A QEMU's assumed need beyond its guest's memory, until it is measured: devices, translated code, heap. */
export const defaultOverheadKib = (bootKib: number): number => 150 * MIB_KIB + Math.ceil(bootKib / 100);
