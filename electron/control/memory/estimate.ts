// Estimates what a guest needs from its statistics (M4: guests lie, fall silent, and report an earlier
// moment). A pure fold over samples, in KiB and ms. Need rises at once and is forgotten within a minute.
// Statistics that cannot be believed change nothing: a silent guest is neither starved nor fed.
import { MIB_KIB } from '../../../shared/units.ts';
import type { AgentFigures, GuestSample, GuestStats } from '../ports.ts';
import type { Wants } from './model.ts';

export interface Estimate {
  /** `updatedAtMs` of the last statistics that were believed. */
  readonly toldAtMs: number;
  /** Memory in use plus memory swapped out. */
  readonly needKib: number;
  readonly fastKib: number;
  readonly slowKib: number;
  readonly risingKibPerS: number;
  /** What lies in swap and may still be missed: what never comes back is gradually forgotten. */
  readonly swappedKib: number;
  readonly cachesKib: number;
  readonly swapInKib: number | null;
  readonly swapOutKib: number | null;
  readonly majorFaults: number | null;
  readonly urgentAtMs: number | null;
}

export interface Told {
  readonly stats: GuestStats;
  /** QMP's `actual` with these statistics, and one sample earlier; they differ while the balloon moves. */
  readonly actualKib: number;
  readonly beforeKib: number;
  /** QEMU's resident memory: the guest cannot use more. Null when the host does not tell. */
  readonly residentKib: number | null;
  /** What is swapped out, by the agent inside; null or absent: no agent, or nothing recent from it. */
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
/** The share of the swap that is forgotten each second while hardly anything comes back from it. */
const SWAP_FORGOTTEN = 0.02;
const BUFFER_SHARE = 0.1;
const BUFFER_MIN_KIB = 256 * MIB_KIB;
const BUFFER_MAX_KIB = 1024 * MIB_KIB;
/** A common sudden rise of need: how fast, and for how long. */
const RISE_KIB_PER_S = 128 * MIB_KIB;
const RISE_S = 18;
/** A guest with more than this share of its memory untouched (by the host's figures) or free is not short. */
const UNTOUCHED_SHARE = 0.1;
const CACHE_FORGOTTEN = 0.01;
const CACHE_SHARE = 0.25;
const FADED_MAX_S = 60;
/** No guest of ours holds more. Larger figures, such as 2^64 − 1, are not amounts. */
const AMOUNT_MAX_KIB = 2 ** 40;
/** A guest without statistics may want this share more than it holds. */
const UNHEARD_MORE = 0.15;
const SETTLED_KIB = 2 * MIB_KIB;
/** Statistics, and what an agent said, older than this say nothing about now. */
const STATS_STALE_MS = 10_000;
/** Percent of the last ten seconds in which some program of the guest waited for memory. */
const STALLED_URGENT = 10;

const amount = (value: number | null): number | null =>
  value !== null && Number.isFinite(value) && value >= 0 && value <= AMOUNT_MAX_KIB ? value : null;

/** How far a counter rose since the last sample; 0 where one figure is missing or the counter began anew. */
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

/** By the host's figures, the guest has memory that it never touched. */
const hasUntouched = ({ actualKib, residentKib }: Possession): boolean =>
  actualKib !== null && residentKib !== null && residentKib < actualKib * (1 - UNTOUCHED_SHARE);

interface Possession {
  readonly actualKib: number | null;
  readonly residentKib: number | null;
}

const isFresh = (agent: AgentFigures, nowMs: number): boolean => nowMs - agent.atMs <= STATS_STALE_MS;

/** The agent inside says that programs wait for memory; the host saw it all touched, and little is free. */
export const isStalling = (
  agent: AgentFigures | null,
  vm: Possession & { readonly freeKib: number | null },
  nowMs: number,
): boolean =>
  agent !== null &&
  isFresh(agent, nowMs) &&
  (agent.stalled ?? 0) > STALLED_URGENT &&
  !hasUntouched(vm) &&
  // With memory free, programs wait for the balloon's own work.
  (vm.freeKib ?? 0) < (vm.actualKib ?? 0) * UNTOUCHED_SHARE;

export const swappedKib = (agent: AgentFigures | null, nowMs: number): number | null =>
  agent !== null && isFresh(agent, nowMs) ? agent.swappedKib : null;

/** What the guest uses; null where its statistics are stale or exceed what it has. */
export function usedKib({ stats, actualKib }: GuestSample, wallMs: number): number | null {
  if (stats === null || actualKib === null || stats.updatedAtMs === 0) return null;
  if (Math.abs(wallMs - stats.updatedAtMs) > STATS_STALE_MS) return null;
  const available = availableKib({ stats, actualKib });
  // With deflate-on-oom the guest's total includes the balloon; `actual` is that total less the balloon.
  return available === null ? null : Math.round(actualKib - available);
}

/** Folds in one set of statistics. Returns `before` where they are not new or not believed. */
export function foldEstimate(before: Estimate | null, told: Told): Estimate | null {
  const { stats, actualKib, beforeKib, residentKib, atMs } = told;
  if (stats.updatedAtMs === 0 || stats.updatedAtMs === before?.toldAtMs) return before;
  const available = availableKib(told);
  if (available === null) return before;
  // The clock of `updatedAtMs` may be set back: then a second is assumed to have passed.
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
  // Swapped memory that the guest freed never comes back, and only an agent knows of it. The agent's figure
  // may lower the estimate, never raise it (M4).
  const swappedKib = Math.min(told.swappedKib ?? AMOUNT_MAX_KIB, Math.max(0, kept + wentOut - cameIn));
  const isSettled = Math.abs(actualKib - beforeKib) <= SETTLED_KIB;
  const claimedKib = Math.max(0, Math.min(actualKib, beforeKib) - available) + swappedKib;
  // Memory never touched is free, whatever the guest claims; and a guest with memory to spare is not in need.
  const hasRoom = hasUntouched(told);
  const needKib = hasRoom ? Math.min(claimedKib, residentKib ?? 0) : claimedKib;
  const faults = grown(majorFaults, before?.majorFaults ?? null) / seconds;
  const isLow = isSettled && available < Math.max(actualKib / 25, Math.min(64 * MIB_KIB, actualKib / 16));
  const isUrgent = !hasRoom && (isMissed || faults > FAULTS_URGENT_PER_S || isLow);
  // While the balloon moves, the figures do not say how fast need rises: the earlier slope is kept.
  const slope = before === null ? 0 : isSettled ? (needKib - before.needKib) / seconds : before.risingKibPerS;
  return {
    toldAtMs: stats.updatedAtMs,
    needKib,
    fastKib: smooth(before?.fastKib ?? needKib, needKib, FAST, faded),
    slowKib: smooth(before?.slowKib ?? needKib, needKib, SLOW, faded),
    risingKibPerS: Math.min(RISING_MAX_KIB_PER_S, Math.max(0, slope)),
    swappedKib,
    // A cache that the guest had to drop was useful all the same: its size is forgotten slowly.
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

/** Null before any statistics were believed. `paceKibPerS`: how fast the balloon was seen to move. */
export function wantsOf(estimate: Estimate | null, nowMs: number, paceKibPerS: number): Wants | null {
  if (estimate === null) return null;
  const { needKib, fastKib, slowKib, risingKibPerS, cachesKib, urgentAtMs } = estimate;
  const isUrgent = urgentAtMs !== null && nowMs - urgentAtMs < URGENT_MS;
  const workingKib = Math.max(needKib, fastKib) + AHEAD_S * risingKibPerS;
  const usualKib = Math.min(BUFFER_MAX_KIB, Math.max(BUFFER_MIN_KIB, BUFFER_SHARE * workingKib));
  // A slow balloon brings memory too late, so its guest gets room for a rise beforehand (M4).
  const lagKib = Math.max(0, RISE_KIB_PER_S - paceKibPerS) * RISE_S;
  const roomKib = Math.max(lagKib, Math.min(usualKib, workingKib / 2));
  // What was needed a while ago may be needed again: it counts towards the buffer, not the working set.
  const bufferKib = Math.max(workingKib + roomKib, slowKib);
  return {
    workingKib: Math.round(workingKib),
    bufferKib: Math.round(bufferKib),
    cacheKib: Math.round(bufferKib + Math.min(cachesKib, CACHE_SHARE * workingKib)),
    isUrgent,
  };
}

/** For a guest that never sent statistics: QEMU's resident memory is the most it can use, caches included. */
export function wantsUnheard(residentKib: number, middleKib: number): Wants {
  const bufferKib = Math.round(residentKib * (1 + UNHEARD_MORE));
  return {
    workingKib: Math.min(residentKib, middleKib),
    bufferKib,
    cacheKib: bufferKib,
    isUrgent: false,
  };
}
