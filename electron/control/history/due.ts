// Decides whether a VM's next automatic point is due. Pure. However many slots passed while nobody looked
// (computer asleep, control down, VM busy), one point makes up for them. A slot is settled once its point was
// taken or skipped; a slot that waits is looked at again.
import type { Look, Schedule } from '../../../shared/history.ts';
import { latestSlot, type Zone } from './calendar.ts';

export interface Power {
  readonly isOnBattery: boolean;
  /** Null where this computer does not say. */
  readonly percent: number | null;
}

export interface Past {
  /** The newest slot that is settled; null: none yet. */
  readonly settledAt: number | null;
  /** When the point that Now grows from was taken; null before the first. */
  readonly newestAt: number | null;
}

export interface Present {
  readonly nowMs: number;
  readonly zone: Zone;
  readonly isBusy: boolean;
  readonly power: Power;
  /**
   * About how much was written since the newest point; null: the VM cannot write, or wants no such points.
   */
  readonly roughBytes: number | null;
  /** Exactly how much changed since then; null: storage, which needs a while, was not asked yet. */
  readonly changedBytes: number | null;
  /** The least time between a point by change and the point before it. */
  readonly changeSpacingMs: number;
}

export type Due =
  /** Nothing to decide. */
  | { readonly act: 'none' }
  /** Ask storage for `changedBytes`, then decide again. */
  | { readonly act: 'ask' }
  | { readonly act: 'take'; readonly reason: 'time' | 'missed' | 'change'; readonly slot: number | null }
  | {
      readonly act: 'skip';
      readonly reason: Extract<Look['reason'], 'unchanged' | 'little' | 'covered' | 'clock'>;
      readonly slot: number;
    }
  | { readonly act: 'wait'; readonly reason: 'busy' | 'battery' };

const MINUTE_MS = 60_000;
/** While this computer is awake, no look is later than this: a later point is told as missed. */
const LATE_MS = 5 * MINUTE_MS;
/** Points by change are no closer than this, however much is written, and whatever a policy says. */
export const CHANGE_SPACING_MS = 15 * MINUTE_MS;

export function due(schedule: Schedule, past: Past, present: Present): Due {
  if (!schedule.isOn) return { act: 'none' };
  const { nowMs, zone } = present;
  const slot = latestSlot(schedule, nowMs, zone);
  const { settledAt } = past;
  // The clock was ahead when that slot was settled and has been put right since: points must not wait until
  // it gets there again.
  if (settledAt !== null && settledAt > nowMs + schedule.everyMinutes * MINUTE_MS)
    return { act: 'skip', reason: 'clock', slot };
  if (settledAt === null || slot > settledAt) return atSlot(schedule, past, present, slot);
  return byChange(schedule, past, present);
}

function atSlot(schedule: Schedule, { newestAt }: Past, present: Present, slot: number): Due {
  const { nowMs, isBusy, power, changedBytes } = present;
  // The point of this slot is there, also where control died between taking it and storing that.
  if (newestAt !== null && newestAt >= slot && newestAt <= nowMs)
    return { act: 'skip', reason: 'covered', slot };
  if (isBusy) return { act: 'wait', reason: 'busy' };
  if (changedBytes === null) return { act: 'ask' };
  if (changedBytes === 0) return { act: 'skip', reason: 'unchanged', slot };
  if (changedBytes < schedule.leastChangedBytes) return { act: 'skip', reason: 'little', slot };
  if (isSaving(schedule, power)) return { act: 'wait', reason: 'battery' };
  return { act: 'take', reason: nowMs - slot > LATE_MS ? 'missed' : 'time', slot };
}

function byChange(schedule: Schedule, { newestAt }: Past, present: Present): Due {
  const { nowMs, isBusy, power, roughBytes, changedBytes, changeSpacingMs } = present;
  const wanted = schedule.changedBytes;
  if (wanted === null || roughBytes === null || roughBytes < wanted) return { act: 'none' };
  const isClose = newestAt !== null && newestAt <= nowMs && nowMs - newestAt < changeSpacingMs;
  if (isClose || isBusy || isSaving(schedule, power)) return { act: 'none' };
  if (changedBytes === null) return { act: 'ask' };
  return changedBytes < wanted ? { act: 'none' } : { act: 'take', reason: 'change', slot: null };
}

/** A battery that does not say how full it is counts as full enough, unless 100 percent are wanted. */
export function isSaving(
  { batteryLeastPercent }: Pick<Schedule, 'batteryLeastPercent'>,
  { isOnBattery, percent }: Power,
): boolean {
  if (!isOnBattery || batteryLeastPercent === 0) return false;
  return batteryLeastPercent === 100 || (percent !== null && percent < batteryLeastPercent);
}
