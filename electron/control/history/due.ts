// Whether a VM's next automatic point is due. Pure. A time that passed while nobody looked (asleep, control down, busy) is made
// up for once, however many there were. A time is settled when it was taken or skipped; what waits is looked at again.
import type { Look, Schedule } from '../../../shared/history.ts';
import { latestSlot, type Zone } from './calendar.ts';

export interface Power {
  readonly isOnBattery: boolean;
  /** Null where this computer does not say. */
  readonly percent: number | null;
}

export interface Past {
  /** The newest time that is settled; null: none yet. */
  readonly settledAt: number | null;
  /** When the point that Now grows from was taken; null before the first. */
  readonly newestAt: number | null;
}

export interface Present {
  readonly nowMs: number;
  readonly zone: Zone;
  readonly isBusy: boolean;
  readonly power: Power;
  /** About what was written since the newest point; for points by change. Null: nothing can be written. */
  readonly roughBytes: number | null;
  /** Exactly; null: not asked yet, which takes a moment. */
  readonly changedBytes: number | null;
  /** Between a point by change and the one before it. */
  readonly changeSpacingMs: number;
}

export type Due =
  /** Nothing to decide. */
  | { readonly act: 'none' }
  /** `changedBytes` is needed. */
  | { readonly act: 'ask' }
  | { readonly act: 'take'; readonly reason: 'time' | 'missed' | 'change'; readonly slot: number | null }
  | {
      readonly act: 'skip';
      readonly reason: Extract<Look['reason'], 'unchanged' | 'little' | 'covered' | 'clock'>;
      readonly slot: number;
    }
  | { readonly act: 'wait'; readonly reason: 'busy' | 'battery' };

const MINUTE_MS = 60_000;
/** A look is at most this late while this computer is awake. */
const LATE_MS = 5 * MINUTE_MS;
/** Points by change are no closer than this, however much is written, and whatever a policy says. */
export const CHANGE_SPACING_MS = 15 * MINUTE_MS;

export function due(schedule: Schedule, past: Past, present: Present): Due {
  if (!schedule.isOn) return { act: 'none' };
  const { nowMs, zone } = present;
  const slot = latestSlot(schedule, nowMs, zone);
  const { settledAt } = past;
  // The clock was ahead when that was settled, and is right now: nothing may wait until it has caught up.
  if (settledAt !== null && settledAt > nowMs + schedule.everyMinutes * MINUTE_MS)
    return { act: 'skip', reason: 'clock', slot };
  if (settledAt === null || slot > settledAt) return atSlot(schedule, past, present, slot);
  return byChange(schedule, past, present);
}

function atSlot(schedule: Schedule, { newestAt }: Past, present: Present, slot: number): Due {
  const { nowMs, isBusy, power, changedBytes } = present;
  // Also where control died between taking it and noting that.
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

/** A battery that does not say how full it is counts as full enough, but where none is. */
export function isSaving(
  { batteryLeastPercent }: Pick<Schedule, 'batteryLeastPercent'>,
  { isOnBattery, percent }: Power,
): boolean {
  if (!isOnBattery || batteryLeastPercent === 0) return false;
  return batteryLeastPercent === 100 || (percent !== null && percent < batteryLeastPercent);
}
