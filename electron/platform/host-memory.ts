// The host's memory, from /proc on Linux and from Node elsewhere.
import { readFileSync } from 'node:fs';
import { freemem, totalmem } from 'node:os';

export interface HostMemoryFigures {
  readonly totalKib: number;
  readonly availableKib: number;
}

/** /proc/meminfo's field in KiB; null where it has none (SwapTotal without swap in the kernel). */
function meminfoKib(text: string, name: string): number | null {
  const digits = new RegExp(`^${name}:\\s+(\\d+) kB$`, 'm').exec(text)?.[1];
  return digits === undefined ? null : Number(digits);
}

/** Null where the text is not Linux's. Nothing available is a figure too, and never more than there is. */
export function parseMeminfo(text: string): HostMemoryFigures | null {
  const [totalKib, availableKib] = [meminfoKib(text, 'MemTotal'), meminfoKib(text, 'MemAvailable')];
  if (totalKib === null || totalKib === 0 || availableKib === null) return null;
  return { totalKib, availableKib: Math.min(totalKib, availableKib) };
}

/** In KiB; 0 is a host without swap, null a host that does not say. */
export const parseSwapKib = (text: string): number | null => meminfoKib(text, 'SwapTotal');

/** Linux PSI's `full avg10`: percent of the last ten seconds in which every program waited for memory; null where not said. */
export function parsePressure(text: string): number | null {
  const digits = /^full avg10=(\d+(?:\.\d+)?) /m.exec(text)?.[1];
  return digits === undefined ? null : Number(digits);
}

function proc(path: string): string {
  try {
    return readFileSync(path, 'latin1');
  } catch {
    // Not Linux, or a kernel without this file (PSI is often off).
    return '';
  }
}

/** MemAvailable counts reclaimable cache as available; Node's freemem does not, and is what other systems have. */
export const hostMemoryFigures = (): HostMemoryFigures =>
  parseMeminfo(proc('/proc/meminfo')) ?? {
    totalKib: Math.floor(totalmem() / 1024),
    availableKib: Math.floor(freemem() / 1024),
  };

export interface HostStrain {
  readonly swapKib: number | null;
  /** Percent. */
  readonly stalled: number | null;
}

export const hostStrain = (): HostStrain => ({
  swapKib: parseSwapKib(proc('/proc/meminfo')),
  stalled: parsePressure(proc('/proc/pressure/memory')),
});
