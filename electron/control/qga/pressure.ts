// What the agent inside a guest says of memory: how long programs waited for it, how much lies in swap. Asked
// in the background, never waited for: an agent that is absent, slow, silent or lying costs nothing (M4).
import { meminfoKib, parsePressure } from '../../platform/host-memory.ts';
import type { Clock } from '../../platform/ports.ts';
import type { AgentFigures } from '../ports.ts';
import { readGuestFile } from './read-file.ts';
import type { GuestAgent } from './session.ts';

const EVERY_MS = 2_000;
/** The wait after an agent was absent, silent or spoke nonsense; doubled each time in a row. */
const AGAIN_MS = 15_000;
const AGAIN_MS_MAX = 600_000;
/** No guest of ours has more; larger figures are not amounts. */
const AMOUNT_MAX_KIB = 2 ** 40;

const within = (value: number | null, max: number): number | null =>
  value !== null && Number.isFinite(value) && value >= 0 && value <= max ? value : null;

/** From /proc/meminfo of a guest; null where it does not tell, or contradicts itself. */
export function swappedKibOf(meminfo: string): number | null {
  const [totalKib, freeKib] = [
    within(meminfoKib(meminfo, 'SwapTotal'), AMOUNT_MAX_KIB),
    within(meminfoKib(meminfo, 'SwapFree'), AMOUNT_MAX_KIB),
  ];
  return totalKib === null || freeKib === null || freeKib > totalKib ? null : totalKib - freeKib;
}

/** From /proc/pressure/memory of a guest, percent. */
export const stalledOf = (pressure: string): number | null => within(parsePressure(pressure, 'some'), 100);

export interface PressurePorts {
  readonly clock: Clock;
  /** Null: there is no agent now. */
  readonly open: () => Promise<GuestAgent | null>;
}

export class PressureReader {
  readonly #ports: PressurePorts;
  #agent: GuestAgent | null = null;
  #isAsking = false;
  #isClosed = false;
  #nextMs = Number.NEGATIVE_INFINITY;
  #failures = 0;
  #figures: AgentFigures | null = null;

  constructor(ports: PressurePorts) {
    this.#ports = ports;
  }

  /** What was last heard, however old; null: nothing yet. Asks again in the background when it is time to. */
  figures(): AgentFigures | null {
    const isDue = this.#ports.clock.monotonicMs() >= this.#nextMs;
    if (isDue && !this.#isAsking && !this.#isClosed) void this.#ask();
    return this.#figures;
  }

  close(): void {
    this.#isClosed = true;
    this.#agent?.close();
  }

  async #ask(): Promise<void> {
    this.#isAsking = true;
    const atMs = this.#ports.clock.monotonicMs();
    const heard = await this.#read().catch(() => null);
    if (heard === null) {
      this.#agent?.close();
      this.#agent = null;
    }
    const { clock } = this.#ports;
    this.#failures = heard === null ? this.#failures + 1 : 0;
    const againMs = heard === null ? Math.min(AGAIN_MS_MAX, AGAIN_MS * 2 ** (this.#failures - 1)) : EVERY_MS;
    this.#nextMs = clock.monotonicMs() + againMs;
    this.#figures = heard === null ? this.#figures : { ...heard, atMs };
    this.#isAsking = false;
  }

  /** Null: no agent, or nothing that could be used. */
  async #read(): Promise<Omit<AgentFigures, 'atMs'> | null> {
    this.#agent = this.#agent?.isOpen === true ? this.#agent : await this.#ports.open();
    const agent = this.#agent;
    if (agent === null) return null;
    // The VM ended meanwhile: `close` did not know of this agent yet.
    if (this.#isClosed) agent.close();
    // A file that cannot be read (PSI is off in many kernels) does not keep the other from counting.
    const fileOf = async (path: string): Promise<string> =>
      agent.isOpen ? readGuestFile(agent, path).catch(() => '') : '';
    const stalled = stalledOf(await fileOf('/proc/pressure/memory'));
    const swappedKib = swappedKibOf(await fileOf('/proc/meminfo'));
    return stalled === null && swappedKib === null ? null : { stalled, swappedKib };
  }
}
