// The host's memory, from /proc on Linux and from Node elsewhere.
import { readFileSync } from 'node:fs';
import { freemem, totalmem } from 'node:os';

export interface HostMemoryFigures {
  readonly totalKib: number;
  readonly availableKib: number;
}

/** MemAvailable counts reclaimable cache as available; Node's freemem does not, and is what other systems have. */
export function hostMemoryFigures(): HostMemoryFigures {
  try {
    const text = readFileSync('/proc/meminfo', 'latin1');
    const field = (name: string): number => Number(new RegExp(`^${name}:\\s+(\\d+)`, 'm').exec(text)?.[1]);
    const [totalKib, availableKib] = [field('MemTotal'), field('MemAvailable')];
    if (totalKib > 0 && availableKib > 0) return { totalKib, availableKib };
  } catch {
    // Not Linux.
  }
  return { totalKib: Math.floor(totalmem() / 1024), availableKib: Math.floor(freemem() / 1024) };
}
