// Background work on the history, in figures for a bar, a bead and a sentence. Pure.
import type { Reversal, SettleWork, Timeline } from '../../shared/timeline.ts';

export interface WorkFigures {
  readonly share: number;
  /** Null while the speed is not known. */
  readonly remainingMs: number | null;
}

export function reversalFigures(reversal: Reversal): WorkFigures {
  const done = reversal.phase === 'flip' ? reversal.blocksTotal : reversal.blocksDone;
  const share = reversal.blocksTotal === 0 ? 0 : Math.min(1, done / reversal.blocksTotal);
  return { share: reversal.phase === 'undo' ? 1 - share : share, remainingMs: remainingMs(reversal) };
}

/** The figures of work other than a reversal, which has no edge to be shown on. */
export function workFigures(work: SettleWork): WorkFigures {
  const share = work.bytesTotal === 0 ? 0 : Math.min(1, work.bytesDone / work.bytesTotal);
  return { share, remainingMs: remainingMs(work) };
}

function remainingMs({
  bytesDone,
  bytesTotal,
  bytesPerSecond,
}: Pick<SettleWork, 'bytesDone' | 'bytesTotal' | 'bytesPerSecond'>): number | null {
  const left = Math.max(0, bytesTotal - bytesDone);
  return bytesPerSecond > 0 ? Math.round((left / bytesPerSecond) * 1000) : null;
}

/** The edge a reversal turns, towards the new root: in people's order that may be forwards or backwards. */
export function reversalEdge(timeline: Timeline): { from: string; to: string } | null {
  const { reversal } = timeline.settle;
  return reversal === null ? null : { from: reversal.fromMomentId, to: reversal.toMomentId };
}

export type Health =
  | 'one-file'
  | 'newest-and-today'
  | 'settling'
  | 'paused'
  | 'held'
  | 'blocked'
  | 'poisoned';

export function healthOf(timeline: Timeline): Health {
  if (timeline.disks.some(disk => disk.poisoned !== null)) return 'poisoned';
  if (timeline.settle.state === 'blocked') return 'blocked';
  if (timeline.settle.state === 'paused') return timeline.settle.isPaused ? 'paused' : 'held';
  if (timeline.settle.state === 'settling' || timeline.settle.pendingEdges > 0) return 'settling';
  return timeline.disks.every(disk => disk.depth <= 1) ? 'one-file' : 'newest-and-today';
}

export const historyBytes = (timeline: Timeline): number =>
  timeline.moments.reduce((sum, moment) => sum + moment.allocatedBytes, timeline.nowBytes);
