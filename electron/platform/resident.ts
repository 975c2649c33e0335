// How much host memory processes hold: from /proc on Linux, from ps on macOS, from tasklist on Windows. All
// three tell KiB, so page sizes (4, 16 or 64 KiB) do not matter here.
import { readFileSync } from 'node:fs';
import { runTool } from './process.ts';

export interface Residents {
  /** In KiB, at once: where a tool has to be asked, its last answer. Null: the host does not tell. */
  now(pid: number): number | null;
  /** In KiB, measured after this call. Null: the host does not tell. */
  fresh(pid: number): Promise<number | null>;
}

/** From the text of /proc/PID/status; null: a kernel thread, which holds none. */
export function parseStatus(text: string): number | null {
  const digits = /^VmRSS:\s+(\d+) kB$/m.exec(text)?.[1];
  return digits === undefined ? null : Number(digits);
}

/** From the output of `ps -o pid=,rss= -p …`: one line for each process. */
export const parsePs = (text: string): Map<number, number> =>
  new Map([...text.matchAll(/^\s*(\d+)\s+(\d+)\s*$/gm)].map(([, pid, kib]) => [Number(pid), Number(kib)]));

/** From `tasklist /FO CSV /NH`. The last field is a number, grouped as in the user's language, and "K". */
export const parseTasklist = (text: string): Map<number, number> =>
  new Map(
    [...text.matchAll(/^"[^\r\n]*","(\d+)","[^"\r\n]*","\d+","([^"\r\n]*)"\r?$/gm)].flatMap(
      ([, pid, memory]) => {
        const digits = (memory ?? '').replace(/\D/g, '');
        return digits === '' ? [] : [[Number(pid), Number(digits)] as const];
      },
    ),
  );

const linuxResident = (pid: number): number | null => {
  try {
    return parseStatus(readFileSync(`/proc/${pid}/status`, 'latin1'));
  } catch {
    return null;
  }
};

const linuxResidents: Residents = { now: linuxResident, fresh: pid => Promise.resolve(linuxResident(pid)) };

/** How long an answer of the tool is used before it is asked again. */
const EVERY_MS = 800;
/** How long the last figure of a failing tool is believed. */
const BELIEVED_MS = 10_000;
/** How long the tool is still asked about a process that nobody asks about any more. */
const FORGOTTEN_MS = 60_000;

export interface ToolPorts {
  readonly nowMs: () => number;
  readonly ask: (pids: readonly number[]) => Promise<string>;
  readonly parse: (text: string) => Map<number, number>;
}

/** One question to the tool at a time, for all processes. */
export class ToolResidents implements Residents {
  readonly #ports: ToolPorts;
  readonly #wanted = new Map<number, number>();
  readonly #known = new Map<number, { readonly kib: number; readonly atMs: number }>();
  #asking: Promise<void> | null = null;
  /** The next question to the tool: begins when the one under way has ended. */
  #next: Promise<void> | null = null;
  #askedAtMs = Number.NEGATIVE_INFINITY;

  constructor(ports: ToolPorts) {
    this.#ports = ports;
  }

  now(pid: number): number | null {
    const nowMs = this.#ports.nowMs();
    this.#wanted.set(pid, nowMs);
    if (this.#asking === null && nowMs - this.#askedAtMs > EVERY_MS) void this.#ask();
    const known = this.#known.get(pid);
    return known !== undefined && nowMs - known.atMs <= BELIEVED_MS ? known.kib : null;
  }

  async fresh(pid: number): Promise<number | null> {
    const nowMs = this.#ports.nowMs();
    this.#wanted.set(pid, nowMs);
    await this.#ask();
    const known = this.#known.get(pid);
    return known !== undefined && known.atMs >= nowMs ? known.kib : null;
  }

  /** A question already under way may be answered with old figures, so a fresh one waits and follows it. */
  #ask(): Promise<void> {
    if (this.#asking !== null) {
      this.#next ??= this.#asking.then(() => {
        this.#next = null;
        return this.#ask();
      });
      return this.#next;
    }
    this.#asking = this.#read().finally(() => {
      this.#asking = null;
    });
    return this.#asking;
  }

  async #read(): Promise<void> {
    const atMs = this.#ports.nowMs();
    this.#askedAtMs = atMs;
    for (const [pid, wantedAtMs] of this.#wanted)
      if (atMs - wantedAtMs > FORGOTTEN_MS) this.#wanted.delete(pid);
    const pids = [...this.#wanted.keys()];
    const text = await this.#ports.ask(pids).catch(() => null);
    const found = text === null ? null : this.#ports.parse(text);
    // An empty answer means that the tool failed; a missing process means that it has ended.
    if (found === null || found.size === 0) return;
    this.#known.clear();
    for (const pid of pids) {
      const kib = found.get(pid);
      if (kib !== undefined) this.#known.set(pid, { kib, atMs });
    }
  }
}

const TOOL = { timeoutMs: 2_000 };

const ps = async (pids: readonly number[]): Promise<string> =>
  (await runTool('/bin/ps', ['-o', 'pid=,rss=', '-p', pids.join(',')], TOOL)).stdout;

/** tasklist takes one process or all, so it is asked for all. */
const tasklist = async (): Promise<string> =>
  (await runTool('tasklist.exe', ['/FO', 'CSV', '/NH'], TOOL)).stdout;

export function systemResidents(nowMs: () => number): Residents {
  if (process.platform === 'darwin') return new ToolResidents({ nowMs, ask: ps, parse: parsePs });
  if (process.platform === 'win32') return new ToolResidents({ nowMs, ask: tasklist, parse: parseTasklist });
  return linuxResidents;
}
