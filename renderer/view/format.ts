// Amounts, times and spans as people read them. Pure; language and time zone come from outside. Binary units
// with their binary names: a GiB is 1024 MiB everywhere on screen.
import { GIB, GIB_KIB, KIB, MIB, MIB_KIB } from '../../shared/units.ts';

const TIB_KIB = 1024 * GIB_KIB;
const TIB = 1024 * GIB;

const MINUTE_MS = 60_000;
const HOUR_MS = 60 * MINUTE_MS;
const DAY_MS = 24 * HOUR_MS;

/** Formatters are kept: making one costs a hundred times its use, and a table may have 5,000 points. */
const kept = new Map<string, Intl.NumberFormat | Intl.DateTimeFormat>();
function formatter<F extends Intl.NumberFormat | Intl.DateTimeFormat>(key: string, make: () => F): F {
  const known = kept.get(key);
  if (known !== undefined) return known as F;
  const made = make();
  kept.set(key, made);
  return made;
}
const numbers = (language: string, options: Intl.NumberFormatOptions): Intl.NumberFormat =>
  formatter(`n${language}${JSON.stringify(options)}`, () => new Intl.NumberFormat(language, options));
const dates = (language: string, options: Intl.DateTimeFormatOptions): Intl.DateTimeFormat =>
  formatter(`d${language}${JSON.stringify(options)}`, () => new Intl.DateTimeFormat(language, options));

/** One decimal below ten, none above; a whole number has none: `2`, not `2.0`. */
const short = (value: number, language: string): string =>
  numbers(language, { maximumFractionDigits: value < 10 ? 1 : 0 }).format(value);

export function formatKib(kib: number, language: string): string {
  if (kib < GIB_KIB) return `${short(Math.round(kib / MIB_KIB), language)} MiB`;
  if (kib >= TIB_KIB) return `${short(kib / TIB_KIB, language)} TiB`;
  // People set quarters of a GiB: 1.25 must not read as 1.3.
  const isQuarter = kib % (GIB_KIB / 4) === 0;
  const digits = { maximumFractionDigits: isQuarter ? 2 : 1 };
  return `${numbers(language, digits).format(kib / GIB_KIB)} GiB`;
}

export function formatBytes(bytes: number, language: string): string {
  if (bytes < MIB) return `${short(Math.round(bytes / KIB), language)} KiB`;
  if (bytes < GIB) return `${short(bytes / MIB, language)} MiB`;
  if (bytes < TIB) return `${short(bytes / GIB, language)} GiB`;
  return `${short(bytes / TIB, language)} TiB`;
}

/** A place on a disk, in MiB however large the disk is. */
export const formatOffset = (bytes: number, language: string): string =>
  `${numbers(language, { maximumFractionDigits: 1 }).format(bytes / MIB)} MiB`;

const UNITS = [
  { name: 'TiB', kib: TIB_KIB },
  { name: 'GiB', kib: GIB_KIB },
  { name: 'MiB', kib: MIB_KIB },
] as const;
const unitOf = (kib: number) => UNITS.find(unit => kib >= unit.kib) ?? UNITS[2];

/** The two parts of "3.9 of 8 GiB": the unit, that of the larger, stands once. */
export function formatKibPair(partKib: number, wholeKib: number, language: string): [string, string] {
  const unit = unitOf(wholeKib);
  const digits = { maximumFractionDigits: unit.name === 'MiB' ? 0 : 1 };
  return [numbers(language, digits).format(partKib / unit.kib), formatKib(wholeKib, language)];
}

export const formatPercent = (share: number, language: string): string =>
  numbers(language, { style: 'percent', maximumFractionDigits: 0 }).format(share);

/** "2 – 8 GiB", "512 MiB – 2 GiB": a common unit stands once. */
export function formatRange(minKib: number, maxKib: number, language: string): string {
  const max = formatKib(maxKib, language);
  if (minKib === maxKib) return max;
  const min = formatKib(minKib, language);
  return `${unitOf(minKib) === unitOf(maxKib) ? min.replace(/ [TGM]iB$/, '') : min} – ${max}`;
}

/** A span in its one largest unit: "41 min", "3 h". Negative spans (clocks differ) count as none. */
export function formatSpan(ms: number, language: string): string {
  const unit = (value: number, name: string): string =>
    numbers(language, { style: 'unit', unit: name, unitDisplay: 'short' }).format(Math.floor(value));
  const span = Math.max(0, ms);
  if (span < MINUTE_MS) return unit(span / 1000, 'second');
  if (span < HOUR_MS) return unit(span / MINUTE_MS, 'minute');
  if (span < DAY_MS) return unit(span / HOUR_MS, 'hour');
  return unit(span / DAY_MS, 'day');
}

export const formatClock = (at: number, language: string): string =>
  dates(language, { hour: '2-digit', minute: '2-digit', hourCycle: 'h23' }).format(at);

export const formatMoment = (at: number, language: string): string =>
  dates(language, {
    weekday: 'short',
    day: 'numeric',
    month: 'short',
    hour: '2-digit',
    minute: '2-digit',
    hourCycle: 'h23',
  }).format(at);

export const formatDay = (at: number, language: string): string =>
  dates(language, { weekday: 'short', day: 'numeric', month: 'short' }).format(at);

/** The local day a time falls in, as a key. */
export const dayKey = (at: number): string => {
  const date = new Date(at);
  return `${date.getFullYear()}-${date.getMonth()}-${date.getDate()}`;
};
