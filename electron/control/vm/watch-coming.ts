// Looks at a VM that has begun to run until its guest is up, or nobody waits any more; one look at a time. A
// look that fails counts as nothing seen: nothing else depends on it.
import type { VmPhase, VmState } from '../../../shared/vm.ts';
import { comingOf, showsSomething } from './coming.ts';
import type { Live } from './live.ts';
import { PICTURE_BYTES_MAX } from './ppm.ts';
import { firstScreenPath } from './run-record.ts';
import type { VmEvent } from './state.ts';
import type { SupervisorPorts, VmFolders } from './supervisor-port.ts';
import { delay } from './wait.ts';

const LOOK_MS = 1_000;
/** Between looks at a screen that stays blank, because each look reads a whole picture. */
const BLANK_LOOK_MS = 15_000;
const DUMP_TIMEOUT_MS = 5_000;

export interface ComingPorts {
  readonly ports: Pick<SupervisorPorts, 'clock' | 'parts' | 'readWhole' | 'removeFile'>;
  readonly folders: Pick<VmFolders, 'run'>;
  readonly live: () => Live | null;
  readonly state: () => VmState;
  readonly feed: (event: VmEvent) => void;
}

export class ComingWatch {
  readonly #ports: ComingPorts;
  #isLooking = false;
  #hasScreen = false;
  #fromMs = 0;

  constructor(ports: ComingPorts) {
    this.#ports = ports;
  }

  heard(before: VmPhase, event: VmEvent): void {
    const { phase, since } = this.#ports.state();
    if (phase !== 'running') return;
    if (event.kind === 'guest-down') this.#begin(0);
    else if (phase !== before) this.#begin(this.#ports.ports.clock.wallMs() - since);
  }

  #begin(agoMs: number): void {
    this.#hasScreen = false;
    this.#fromMs = this.#ports.ports.clock.monotonicMs() - Math.max(0, agoMs);
    if (!this.#isLooking) void this.#watch();
  }

  async #watch(): Promise<void> {
    const { state, live, ports } = this.#ports;
    this.#isLooking = true;
    try {
      for (let of = live(); of !== null && state().phase === 'running'; of = live()) {
        if (await this.#isOver(of)) return;
        await delay(ports.clock, state().coming === 'blank' ? BLANK_LOOK_MS : LOOK_MS);
      }
    } finally {
      this.#isLooking = false;
    }
  }

  async #isOver(of: Live): Promise<boolean> {
    const { state, feed, live, ports } = this.#ports;
    const fromMs = this.#fromMs;
    const hasScreen = this.#hasScreen || (await this.#seesScreen(of));
    const isUp = state().guestUp || (await this.#hasDriver(of));
    // Another run, or a reset, has begun meanwhile: what was seen is of the one before.
    if (live() !== of || fromMs !== this.#fromMs) return false;
    this.#hasScreen = hasScreen;
    const coming = comingOf({ hasScreen, isUp }, ports.clock.monotonicMs() - fromMs);
    feed({ kind: 'coming', coming });
    return coming === null || coming === 'silent';
  }

  async #seesScreen({ qmp }: Live): Promise<boolean> {
    const { folders, ports } = this.#ports;
    const picturePath = firstScreenPath(folders.run);
    try {
      await qmp.execute('screendump', { filename: picturePath }, DUMP_TIMEOUT_MS);
      const bytes = ports.parts.bytesOf(picturePath) ?? 0;
      const isShown =
        bytes > PICTURE_BYTES_MAX || (bytes > 0 && showsSomething(ports.readWhole(picturePath)));
      ports.removeFile(picturePath);
      return isShown;
    } catch {
      return false;
    }
  }

  async #hasDriver({ guest }: Live): Promise<boolean> {
    try {
      return (await guest.sample()).driverReady;
    } catch {
      return false;
    }
  }
}
