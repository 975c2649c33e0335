// Geometry of the memory range slider: scale, ticks, steps, and what each thumb may do. Pure, in KiB.
import { type HostMemory, type MemoryRange, VM_MIN_KIB } from '../../shared/memory.ts';
import { GIB_KIB, MIB_KIB } from '../../shared/units.ts';

/** A minimum under a quarter of the maximum squeezes a guest until it crawls (XenServer's rule). */
export const QUARTER = 4;

export interface MemoryScale {
  readonly endKib: number;
  readonly stepKib: number;
  readonly pageKib: number;
  readonly ticks: readonly number[];
}

const TICK_STEPS = [64, 128, 256, 512, 1024, 2048, 4096, 8192, 16384, 32768, 65536].map(mib => mib * MIB_KIB);
const TICKS_MAX = 8;

/** From 0 to the budget of all VMs; a small VM on a big host gets a shorter scale, to stay visible. */
export function memoryScale(range: MemoryRange, budgetKib: number): MemoryScale {
  const whole = Math.max(budgetKib, range.maxKib);
  const wide = whole > range.maxKib * 8 ? niceCeil(range.maxKib * 4) : whole;
  const endKib = Math.max(Math.min(wide, whole), VM_MIN_KIB * 2);
  const tick = TICK_STEPS.find(step => endKib / step <= TICKS_MAX) ?? Math.ceil(endKib / TICKS_MAX);
  const ticks: number[] = [];
  for (let at = 0; at <= endKib; at += tick) ticks.push(at);
  // Steps of 128 MiB as a rule, finer on a small scale.
  const stepKib = endKib <= 2 * GIB_KIB ? 16 * MIB_KIB : endKib <= 8 * GIB_KIB ? 64 * MIB_KIB : 128 * MIB_KIB;
  return { endKib, stepKib, pageKib: stepKib * 8, ticks };
}

function niceCeil(kib: number): number {
  const step = TICK_STEPS.find(size => kib / size <= TICKS_MAX) ?? kib;
  return Math.ceil(kib / step) * step;
}

export const toShare = (kib: number, scale: MemoryScale): number =>
  Math.min(1, Math.max(0, kib / scale.endKib));

export type Thumb = 'min' | 'max';

export interface ThumbLimits {
  readonly lowKib: number;
  readonly highKib: number;
}

/** Each thumb's limits follow the other: Min never passes Max. */
export const thumbLimits = (thumb: Thumb, range: MemoryRange, scale: MemoryScale): ThumbLimits =>
  thumb === 'min'
    ? { lowKib: Math.min(VM_MIN_KIB, range.maxKib), highKib: range.maxKib }
    : { lowKib: range.minKib, highKib: Math.max(scale.endKib, range.maxKib) };

/** The range after a thumb is moved to `kib`: snapped to a step, held within the thumb's limits. */
export function moveThumb(
  thumb: Thumb,
  kib: number,
  at: { readonly range: MemoryRange; readonly scale: MemoryScale },
): MemoryRange {
  const { lowKib, highKib } = thumbLimits(thumb, at.range, at.scale);
  const snapped = Math.round(kib / at.scale.stepKib) * at.scale.stepKib;
  const held = Math.min(highKib, Math.max(lowKib, snapped));
  return thumb === 'min' ? { ...at.range, minKib: held } : { ...at.range, maxKib: held };
}

/** The range after a key press on a thumb; null: the key does nothing here. */
export function thumbKey(
  key: string,
  thumb: Thumb,
  at: { readonly range: MemoryRange; readonly scale: MemoryScale },
): MemoryRange | null {
  const now = thumb === 'min' ? at.range.minKib : at.range.maxKib;
  const { lowKib, highKib } = thumbLimits(thumb, at.range, at.scale);
  switch (key) {
    case 'ArrowRight':
    case 'ArrowUp':
      return moveThumb(thumb, now + at.scale.stepKib, at);
    case 'ArrowLeft':
    case 'ArrowDown':
      return moveThumb(thumb, now - at.scale.stepKib, at);
    case 'PageUp':
      return moveThumb(thumb, now + at.scale.pageKib, at);
    case 'PageDown':
      return moveThumb(thumb, now - at.scale.pageKib, at);
    case 'Home':
      return moveThumb(thumb, lowKib, at);
    case 'End':
      return moveThumb(thumb, highKib, at);
    default:
      return null;
  }
}

/** The largest maximum the service accepts, as far as the window knows: bounded by M10's cap and reserve. */
export const mostKib = (host: HostMemory | null): number =>
  host === null
    ? Number.MAX_SAFE_INTEGER
    : Math.min(host.capKib ?? Number.MAX_SAFE_INTEGER, host.totalKib - host.reserveKib);

export const breaksQuarterRule = (range: MemoryRange): boolean => range.minKib * QUARTER < range.maxKib;

/** KiB of a typed "4", "4.5", "512 MiB" or "4 GB"; `unit` counts where none is typed. Null: no amount. */
export function parseAmount(text: string, unit: 'GiB' | 'MiB'): number | null {
  const match = /^\s*(\d+(?:[.,]\d+)?)\s*(g|gb|gib|m|mb|mib)?\s*$/i.exec(text);
  const [, digits, said] = match ?? [];
  if (digits === undefined) return null;
  const value = Number(digits.replace(',', '.'));
  const inMib = (said ?? unit).toLowerCase().startsWith('m');
  const kib = Math.round(value * (inMib ? MIB_KIB : GIB_KIB));
  return Number.isSafeInteger(kib) ? kib : null;
}

/**
 * Middles of labels over the track, as shares, so that none overlaps another or leaves the track; a pair that
 * touches is moved apart evenly.
 */
export function spreadLabels(wanted: readonly number[], width: number): number[] {
  const order = wanted.map((share, index) => ({ share, index })).sort((a, b) => a.share - b.share);
  const placed = order.map(({ share }) => share);
  const at = (index: number): number => placed[index] ?? 0;
  for (let round = 0; round < placed.length * 4; round += 1) {
    for (let index = 1; index < placed.length; index += 1) {
      const over = width - (at(index) - at(index - 1));
      if (over <= 0) continue;
      placed[index - 1] = at(index - 1) - over / 2;
      placed[index] = at(index) + over / 2;
    }
  }
  for (let index = 0; index < placed.length; index += 1) {
    placed[index] = Math.max(at(index), index === 0 ? width / 2 : at(index - 1) + width);
  }
  for (let index = placed.length - 1; index >= 0; index -= 1) {
    placed[index] = Math.min(at(index), index === placed.length - 1 ? 1 - width / 2 : at(index + 1) - width);
  }
  const result = [...wanted];
  order.forEach(({ index }, rank) => {
    result[index] = at(rank);
  });
  return result;
}
