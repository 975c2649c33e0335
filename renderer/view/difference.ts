// The heat strip: where on a disk two moments may differ. Pure.
import type { PointDifference } from '../../shared/timeline.ts';

export interface HeatStrip {
  /** For each bin (an equal part of the disk) the share of it that may differ. */
  readonly bins: readonly number[];
  /** How many bins are fully known: a long answer is cut off, and the bins after it are not. */
  readonly knownBins: number;
}
export interface HeatRun {
  readonly from: number;
  readonly length: number;
  /** 1 … LEVELS. */
  readonly level: number;
}

export const HEAT_BINS = 160;
/** As many steps of colour as an eye can tell apart on a strip this low. */
export const HEAT_LEVELS = 6;

export function heatStrip(
  { ranges, isTruncated }: Pick<PointDifference, 'ranges' | 'isTruncated'>,
  virtualBytes: number,
  count = HEAT_BINS,
): HeatStrip {
  const bins = new Array<number>(count).fill(0);
  const width = virtualBytes / count;
  if (width === 0) return { bins, knownBins: count };
  for (const { offset, length } of ranges) {
    const end = Math.min(offset + length, virtualBytes);
    for (let bin = Math.floor(offset / width); bin < count && bin * width < end; bin += 1) {
      const inside = Math.min(end, (bin + 1) * width) - Math.max(offset, bin * width);
      bins[bin] = Math.min(1, (bins[bin] ?? 0) + Math.max(0, inside) / width);
    }
  }
  const last = ranges.at(-1);
  const knownEnd = !isTruncated || last === undefined ? virtualBytes : last.offset + last.length;
  return { bins, knownBins: isTruncated ? Math.min(count, Math.floor(knownEnd / width)) : count };
}

/** The level relative to the hottest bin. Any difference has a colour: one sector must show on a terabyte. */
export const heatLevel = (share: number, most: number): number =>
  share <= 0 ? 0 : Math.max(1, Math.ceil(Math.sqrt(Math.min(1, share / most)) * HEAT_LEVELS));

/** Joins neighbouring bins of the same level to one run; bins without differences are left out. */
export function heatRuns(bins: readonly number[]): HeatRun[] {
  const runs: HeatRun[] = [];
  const most = bins.reduce((max, share) => Math.max(max, share), 0);
  bins.forEach((share, from) => {
    const level = heatLevel(share, most);
    const last = runs.at(-1);
    if (level === 0) return;
    if (last !== undefined && last.level === level && last.from + last.length === from)
      runs[runs.length - 1] = { ...last, length: last.length + 1 };
    else runs.push({ from, length: 1, level });
  });
  return runs;
}

/** A stretch is worth naming only if it is no larger than this share of the disk. */
const CLOSE_SHARE = 1 / 3;

/** The shortest stretch of bins that holds half of the differences; null: they are spread over the disk. */
export function busiestStretch({ bins, knownBins }: HeatStrip): { from: number; to: number } | null {
  const half = bins.reduce((sum, share) => sum + share, 0) / 2;
  if (half === 0 || knownBins < bins.length) return null;
  let best: { from: number; to: number } | null = null;
  let [from, held] = [0, 0];
  bins.forEach((share, at) => {
    held += share;
    // The tolerance keeps rounding from making the half unreachable.
    while (held - (bins[from] ?? 0) >= half - 1e-9 && from < at) {
      held -= bins[from] ?? 0;
      from += 1;
    }
    if (held >= half - 1e-9 && (best === null || at + 1 - from < best.to - best.from))
      best = { from, to: at + 1 };
  });
  const found = best as { from: number; to: number } | null;
  return found === null || found.to - found.from > bins.length * CLOSE_SHARE ? null : found;
}
