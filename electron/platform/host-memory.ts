// The host's memory: from /proc on Linux, from vm_stat and sysctl on macOS, from Node elsewhere. On Windows
// Node asks GlobalMemoryStatusEx, which needs no tool and does not depend on the language.
import { readFileSync } from 'node:fs';
import { freemem, totalmem } from 'node:os';
import { bytesToKib } from '../../shared/units.ts';
import { runTool } from './process.ts';

export interface HostMemoryFigures {
  readonly totalKib: number;
  readonly availableKib: number;
  /** The host's own judgement; absent or null: it gives none (Linux has PSI instead; Windows only an API). */
  readonly pressure?: MemoryPressure | null;
}

export type MemoryPressure = 'normal' | 'warning' | 'critical';

/** A field of /proc/meminfo in KiB; null: no such field (SwapTotal when the kernel is built without swap). */
export function meminfoKib(text: string, name: string): number | null {
  const digits = new RegExp(`^${name}:\\s+(\\d+) kB$`, 'm').exec(text)?.[1];
  return digits === undefined ? null : Number(digits);
}

/** Null: the text is not Linux's meminfo. 0 KiB available is valid; more than the total is cut down to it. */
export function parseMeminfo(text: string): HostMemoryFigures | null {
  const [totalKib, availableKib] = [meminfoKib(text, 'MemTotal'), meminfoKib(text, 'MemAvailable')];
  if (totalKib === null || totalKib === 0 || availableKib === null) return null;
  return { totalKib, availableKib: Math.min(totalKib, availableKib) };
}

/** In KiB; 0 is a host without swap, null a host that does not say. */
export const parseSwapKib = (text: string): number | null => meminfoKib(text, 'SwapTotal');

/**
 * Linux PSI's `avg10`: percent of the last ten seconds in which every (`full`) or some program waited for
 * memory. Null: the text does not say.
 */
export function parsePressure(text: string, who: 'full' | 'some' = 'full'): number | null {
  const digits = new RegExp(`^${who} avg10=(\\d+(?:\\.\\d+)?) `, 'm').exec(text)?.[1];
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

/** A page count of macOS's vm_stat; 0 where an older one has no such line. */
const pagesOf = (text: string, name: string): number =>
  Number(new RegExp(`^${name}:\\s+(\\d+)\\.?$`, 'm').exec(text)?.[1] ?? 0);

/**
 * The KiB macOS can give without compressing or swapping: free, read-ahead and purgeable pages, and those
 * inactive pages that belong to files. Null: the text is not vm_stat's.
 */
export function parseVmStat(text: string): number | null {
  const pageBytes = Number(/page size of (\d+) bytes/.exec(text)?.[1] ?? 0);
  if (pageBytes === 0 || !/^Pages free:/m.test(text)) return null;
  const speculative = pagesOf(text, 'Pages speculative');
  const files = Math.max(0, pagesOf(text, 'File-backed pages') - speculative);
  const idle = Math.min(pagesOf(text, 'Pages inactive'), files);
  const pages = pagesOf(text, 'Pages free') + speculative + pagesOf(text, 'Pages purgeable') + idle;
  return bytesToKib(pages * pageBytes);
}

/** The answer of macOS's `sysctl -n kern.memorystatus_vm_pressure_level`: the colours of Activity Monitor. */
export function parsePressureLevel(text: string): MemoryPressure | null {
  const level = text.trim();
  return level === '1' ? 'normal' : level === '2' ? 'warning' : level === '4' ? 'critical' : null;
}

/** MemAvailable counts reclaimable cache as available. Node's `freemem` does so on Windows only. */
export const hostMemoryFigures = (): HostMemoryFigures =>
  parseMeminfo(proc('/proc/meminfo')) ?? nodeFigures();

const nodeFigures = (): HostMemoryFigures => ({
  totalKib: bytesToKib(totalmem()),
  availableKib: bytesToKib(freemem()),
});

/** How long an answer of the two tools is used before they are asked again. */
const VM_STAT_EVERY_MS = 800;
/** How long a failing vm_stat's last figure is believed: Node's would look like a host short of memory. */
const VM_STAT_BELIEVED_MS = 30_000;

/**
 * `hostMemoryFigures` of macOS, from vm_stat: returns its last answer at once and asks it again meanwhile.
 * Before its first answer, and when it fails for long, returns what Node calls free: less than there is.
 */
export function macMemoryFigures(ports: {
  readonly nowMs: () => number;
  readonly vmStat: () => Promise<string>;
  readonly pressureLevel: () => Promise<string>;
  readonly node?: () => HostMemoryFigures;
}): () => HostMemoryFigures {
  let known: Required<Omit<HostMemoryFigures, 'totalKib'>> & { readonly atMs: number } = NOTHING_KNOWN;
  let isAsking = false;
  let askedAtMs = Number.NEGATIVE_INFINITY;
  const ask = async (): Promise<void> => {
    isAsking = true;
    askedAtMs = ports.nowMs();
    const [vmStat, level] = await Promise.all(
      [ports.vmStat, ports.pressureLevel].map(tool => tool().catch(() => '')),
    );
    const availableKib = parseVmStat(vmStat ?? '');
    const pressure = parsePressureLevel(level ?? '');
    if (availableKib !== null) known = { availableKib, pressure, atMs: ports.nowMs() };
    isAsking = false;
  };
  return () => {
    const nowMs = ports.nowMs();
    if (!isAsking && nowMs - askedAtMs > VM_STAT_EVERY_MS) void ask();
    const { totalKib, availableKib } = (ports.node ?? nodeFigures)();
    const isBelieved = nowMs - known.atMs <= VM_STAT_BELIEVED_MS;
    return {
      totalKib,
      availableKib: Math.min(totalKib, isBelieved ? known.availableKib : availableKib),
      pressure: isBelieved ? known.pressure : null,
    };
  };
}

const NOTHING_KNOWN = { availableKib: 0, pressure: null, atMs: Number.NEGATIVE_INFINITY };

export interface HostStrain {
  readonly swapKib: number | null;
  /** Percent. */
  readonly stalled: number | null;
}

export const hostStrain = (): HostStrain => ({
  swapKib: parseSwapKib(proc('/proc/meminfo')),
  stalled: parsePressure(proc('/proc/pressure/memory')),
});

export const hostMemoryReader = (nowMs: () => number): (() => HostMemoryFigures) =>
  process.platform === 'darwin' ? macMemoryFigures({ nowMs, vmStat, pressureLevel }) : hostMemoryFigures;

const vmStat = async (): Promise<string> =>
  (await runTool('/usr/bin/vm_stat', [], { timeoutMs: 2_000 })).stdout;
const pressureLevel = async (): Promise<string> =>
  (await runTool('/usr/sbin/sysctl', ['-n', 'kern.memorystatus_vm_pressure_level'], { timeoutMs: 2_000 }))
    .stdout;
