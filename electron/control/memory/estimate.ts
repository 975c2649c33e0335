// What a guest needs, judged by what it says (M4: guests lie, fall silent and speak of another moment). A pure fold over
// samples, in KiB and ms: need rises at once and is forgotten within a minute. What cannot be believed is left out, and
// what was last believed is kept: a silent guest is neither starved nor fed.
import { MIB_KIB } from '../../../shared/units.ts';
import type { AgentFigures, GuestSample, GuestStats } from '../ports.ts';
import type { Wants } from './model.ts';

export interface Estimate {
  /** The guest's own moment of the last statistics believed. */
  readonly toldAtMs: number;
  /** In use and swapped out. */
  readonly needKib: number;
  readonly fastKib: number;
  readonly slowKib: number;
  readonly risingKibPerS: number;
  /** Out in swap as far as it is missed: what never comes back is forgotten. */
  readonly swappedKib: number;
  readonly cachesKib: number;
  readonly swapInKib: number | null;
  readonly swapOutKib: number | null;
  readonly majorFaults: number | null;
  readonly urgentAtMs: number | null;
}

export interface Told {
  readonly stats: GuestStats;
  /** QMP's figure with these statistics, and the one before it: a moving balloon makes the two disagree. */
  readonly actualKib: number;
  readonly beforeKib: number;
  /** What the host holds for it: more it cannot be using. Null when the host does not tell. */
  readonly residentKib: number | null;
  /** As an agent inside says; null or absent: there is none. */
  readonly swappedKib?: number | null;
  readonly atMs: number;
}

const FAST = 0.4;
const SLOW = 0.03;
const AHEAD_S = 2;
const RISING_MAX_KIB_PER_S = 256 * MIB_KIB;
const SWAP_IN_URGENT_KIB_PER_S = MIB_KIB;
const FAULTS_URGENT_PER_S = 100;
const URGENT_MS = 3_000;
/** Per second, of what lies in swap while nothing comes back from it. */
const SWAP_FORGOTTEN = 0.02;
const BUFFER_SHARE = 0.1;
const BUFFER_MIN_KIB = 256 * MIB_KIB;
const BUFFER_MAX_KIB = 1024 * MIB_KIB;
/** As fast, and as long, as need commonly rises at once. */
const RISE_KIB_PER_S = 128 * MIB_KIB;
const RISE_S = 18;
/** Of what it has: below that its figures are held against the host's. */
const UNTOUCHED_SHARE = 0.1;
const CACHE_FORGOTTEN = 0.01;
const CACHE_SHARE = 0.25;
const FADED_MAX_S = 60;
/** No guest of ours holds more; larger figures, 2^64 − 1 among them, are not amounts. */
const AMOUNT_MAX_KIB = 2 ** 40;
/** A silent guest that fills what it has may want more. */
const UNHEARD_MORE = 0.15;
const SETTLED_KIB = 2 * MIB_KIB;
/** Statistics, and what an agent said, older than this say nothing about now. */
const STATS_STALE_MS = 10_000;
/** Percent of the last ten seconds in which some program of the guest waited for memory. */
const STALLED_URGENT = 10;

const amount = (value: number | null): number | null =>
  value !== null && Number.isFinite(value) && value >= 0 && value <= AMOUNT_MAX_KIB ? value : null;

/** Counted up since last time; nothing where one of the two is missing, or the counter began anew. */
function grown(now: number | null, before: number | null): number {
  return now === null || before === null || now < before ? 0 : now - before;
}

/** What is free and what could be freed at once; null when the guest contradicts itself or the balloon. */
export function availableKib({ stats, actualKib }: Pick<Told, 'stats' | 'actualKib'>): number | null {
  const [totalKib, freeKib, cachesKib] = [
    amount(stats.totalKib),
    amount(stats.freeKib),
    amount(stats.cachesKib),
  ];
  const estimated = freeKib === null ? null : freeKib + 0.8 * (cachesKib ?? 0);
  const available = amount(stats.availableKib) ?? estimated;
  if (available === null || totalKib === null || available > totalKib) return null;
  return available > actualKib ? null : available;
}

/** The host knows: it has more than it ever touched. */
const hasUntouched = ({ actualKib, residentKib }: Possession): boolean =>
  actualKib !== null && residentKib !== null && residentKib < actualKib * (1 - UNTOUCHED_SHARE);

interface Possession {
  readonly actualKib: number | null;
  readonly residentKib: number | null;
}

const isFresh = (agent: AgentFigures, nowMs: number): boolean => nowMs - agent.atMs <= STATS_STALE_MS;

/** Its programs wait for memory, says an agent inside; the host saw it touch all it has, and it has none free. */
export const isStalling = (
  agent: AgentFigures | null,
  vm: Possession & { readonly freeKib: number | null },
  nowMs: number,
): boolean =>
  agent !== null &&
  isFresh(agent, nowMs) &&
  (agent.stalled ?? 0) > STALLED_URGENT &&
  !hasUntouched(vm) &&
  // A balloon's own work makes programs wait too.
  (vm.freeKib ?? 0) < (vm.actualKib ?? 0) * UNTOUCHED_SHARE;

export const swappedKib = (agent: AgentFigures | null, nowMs: number): number | null =>
  agent !== null && isFresh(agent, nowMs) ? agent.swappedKib : null;

/** What the guest uses, from statistics that can be believed: fresh, and within what it has. */
export function usedKib({ stats, actualKib }: GuestSample, wallMs: number): number | null {
  if (stats === null || actualKib === null || stats.updatedAtMs === 0) return null;
  if (Math.abs(wallMs - stats.updatedAtMs) > STATS_STALE_MS) return null;
  const available = availableKib({ stats, actualKib });
  // With deflate-on-oom the guest's total counts the balloon as used: what it lacks of its own total less the balloon.
  return available === null ? null : Math.round(actualKib - available);
}

/** One set of statistics later; the same estimate where they are not new or not believed. */
export function foldEstimate(before: Estimate | null, told: Told): Estimate | null {
  const { stats, actualKib, beforeKib, residentKib, atMs } = told;
  if (stats.updatedAtMs === 0 || stats.updatedAtMs === before?.toldAtMs) return before;
  const available = availableKib(told);
  if (available === null) return before;
  // A guest's clock may be set back: then a second has passed, as far as anybody knows.
  const elapsed = before === null ? 1 : (stats.updatedAtMs - before.toldAtMs) / 1000;
  const seconds = elapsed > 0 ? elapsed : 1;
  // A long silence, or a clock set ahead, is no reason to forget all that was known.
  const faded = Math.min(seconds, FADED_MAX_S);
  const [swapInKib, swapOutKib, majorFaults] = [
    amount(stats.swapInKib),
    amount(stats.swapOutKib),
    amount(stats.majorFaults),
  ];
  const cameIn = grown(swapInKib, before?.swapInKib ?? null);
  const wentOut = grown(swapOutKib, before?.swapOutKib ?? null);
  const isMissed = cameIn / seconds > SWAP_IN_URGENT_KIB_PER_S;
  const kept = (before?.swappedKib ?? 0) * (isMissed ? 1 : (1 - SWAP_FORGOTTEN) ** faded);
  // What was freed out there never comes back: only an agent knows. It may say less, never more (M4).
  const swappedKib = Math.min(told.swappedKib ?? AMOUNT_MAX_KIB, Math.max(0, kept + wentOut - cameIn));
  const isSettled = Math.abs(actualKib - beforeKib) <= SETTLED_KIB;
  const claimedKib = Math.max(0, Math.min(actualKib, beforeKib) - available) + swappedKib;
  // What was never touched is free, whatever the guest claims; and with memory to spare nobody suffers for lack of it.
  const hasRoom = hasUntouched(told);
  const needKib = hasRoom ? Math.min(claimedKib, residentKib ?? 0) : claimedKib;
  const faults = grown(majorFaults, before?.majorFaults ?? null) / seconds;
  const isLow = isSettled && available < Math.max(actualKib / 25, Math.min(64 * MIB_KIB, actualKib / 16));
  const isUrgent = !hasRoom && (isMissed || faults > FAULTS_URGENT_PER_S || isLow);
  // While its balloon moves its figures do not say how fast its need rises: as fast as before.
  const slope = before === null ? 0 : isSettled ? (needKib - before.needKib) / seconds : before.risingKibPerS;
  return {
    toldAtMs: stats.updatedAtMs,
    needKib,
    fastKib: smooth(before?.fastKib ?? needKib, needKib, FAST, faded),
    slowKib: smooth(before?.slowKib ?? needKib, needKib, SLOW, faded),
    risingKibPerS: Math.min(RISING_MAX_KIB_PER_S, Math.max(0, slope)),
    swappedKib,
    // A cache that had to go was useful all the same: it is forgotten slowly.
    cachesKib: Math.max(
      amount(stats.cachesKib) ?? 0,
      (before?.cachesKib ?? 0) * (1 - CACHE_FORGOTTEN) ** faded,
    ),
    swapInKib,
    swapOutKib,
    majorFaults,
    urgentAtMs: isUrgent ? atMs : (before?.urgentAtMs ?? null),
  };
}

const smooth = (old: number, fresh: number, share: number, seconds: number): number =>
  old + (fresh - old) * (1 - (1 - share) ** seconds);

/** Null before anything was believed. `paceKibPerS`: how fast its balloon was seen to move. */
export function wantsOf(estimate: Estimate | null, nowMs: number, paceKibPerS: number): Wants | null {
  if (estimate === null) return null;
  const { needKib, fastKib, slowKib, risingKibPerS, cachesKib, urgentAtMs } = estimate;
  const isUrgent = urgentAtMs !== null && nowMs - urgentAtMs < URGENT_MS;
  const workingKib = Math.max(needKib, fastKib) + AHEAD_S * risingKibPerS;
  const usualKib = Math.min(BUFFER_MAX_KIB, Math.max(BUFFER_MIN_KIB, BUFFER_SHARE * workingKib));
  // A slow balloon brings memory too late: such a guest has its room beforehand (M4).
  const lagKib = Math.max(0, RISE_KIB_PER_S - paceKibPerS) * RISE_S;
  const roomKib = Math.max(lagKib, Math.min(usualKib, workingKib / 2));
  // What was needed a while ago may be needed again: room, where there is room.
  const bufferKib = Math.max(workingKib + roomKib, slowKib);
  return {
    workingKib: Math.round(workingKib),
    bufferKib: Math.round(bufferKib),
    cacheKib: Math.round(bufferKib + Math.min(cachesKib, CACHE_SHARE * workingKib)),
    isUrgent,
  };
}

/** Of a guest that never told anything: what the host holds for it is the most it can be using, caches and all. */
export function wantsUnheard(residentKib: number, middleKib: number): Wants {
  const bufferKib = Math.round(residentKib * (1 + UNHEARD_MORE));
  return {
    workingKib: Math.min(residentKib, middleKib),
    bufferKib,
    cacheKib: bufferKib,
    isUrgent: false,
  };
}
