// L5: a VM that stands still though nobody wanted that goes on by itself when the cause is gone: ask storage,
// `cont`, and look again, because the first `cont` after storage's return may fail at once. While its memory
// is being saved the VM is left alone.
import type { VmState } from '../../../shared/vm.ts';
import { isLive } from '../../../shared/vm-phase.ts';
import type { Clock } from '../../platform/ports.ts';
import type { StoragePort } from '../ports.ts';
import type { Live } from './live.ts';
import { DISK_AWAY_TEXT, DISK_SPOILED_TEXT } from './qemu-events.ts';
import type { VmEvent } from './state.ts';
import { delay } from './wait.ts';

const FIRST_MS = 500;
const RETRY_MS_MAX = 8_000;
const LOOK_AGAIN_MS = 300;

export type Stopped = Pick<Live, 'isAtBarrier'> & {
  readonly guest: Pick<Live['guest'], 'vmId' | 'status'>;
  readonly qmp: Pick<Live['qmp'], 'execute' | 'isOpen'>;
};

export interface RecoveryPorts {
  readonly clock: Clock;
  readonly storage: Pick<StoragePort, 'healthy' | 'isSpoiled'>;
  readonly log: (line: string) => void;
}

export class Recovery {
  readonly #ports: RecoveryPorts;
  readonly #state: () => VmState;
  readonly #feed: (event: VmEvent) => void;
  /** Why the VM stands still, as people are told; null: it never did. */
  #why: string | null = null;
  #waiting: Stopped | null = null;
  /** The `over` of each `begin` that is waited for. */
  #over: (() => void)[] = [];
  #stops = 0;

  constructor(
    ports: RecoveryPorts,
    { state, feed }: { readonly state: () => VmState; readonly feed: (event: VmEvent) => void },
  ) {
    this.#ports = ports;
    this.#state = state;
    this.#feed = feed;
  }

  /** The VM stands still, and nobody asked for that. */
  get isWaiting(): boolean {
    return this.#waiting !== null && this.#isWanted();
  }

  /** `over` is called once the VM runs, or is not waited for any more because somebody paused it. */
  async begin(live: Stopped, why: string, over?: () => void): Promise<void> {
    this.#why = why;
    this.#stops++;
    this.#feed({ kind: 'paused', why });
    if (this.#waiting !== live) this.#over = [];
    if (over !== undefined) this.#over.push(over);
    if (this.#waiting === live) return;
    this.#waiting = live;
    const runs = await this.#untilWell(live);
    if (this.#waiting !== live) return;
    this.#waiting = null;
    // Told here, because at a barrier QEMU's RESUME is not passed on.
    if (runs) this.#feed({ kind: 'running' });
    if (live.qmp.isOpen) for (const tell of this.#over.splice(0)) tell();
  }

  async #untilWell(live: Stopped): Promise<boolean> {
    const { guest, qmp } = live;
    const { clock, storage, log } = this.#ports;
    for (let waitMs = FIRST_MS; ; waitMs = Math.min(waitMs * 2, RETRY_MS_MAX)) {
      await delay(clock, waitMs);
      if (!qmp.isOpen || this.#waiting !== live || !this.#isWanted()) return false;
      try {
        await storage.healthy();
        if (!this.#isWanted() || this.#isHeld(live)) continue;
        await qmp.execute('cont');
        await delay(clock, LOOK_AGAIN_MS);
        const stops = this.#stops;
        if ((await guest.status()).running && stops === this.#stops) return true;
        if (this.#why === DISK_AWAY_TEXT && (await storage.isSpoiled(guest.vmId))) return this.#giveUp();
      } catch (cause) {
        log(`vm ${guest.vmId}: not resumed yet: ${String(cause)}`);
      }
      if (this.#why !== null && this.#isWanted()) this.#feed({ kind: 'paused', why: this.#why });
    }
  }

  /** Only the owner can help: every retry would fail the same way. */
  #giveUp(): false {
    this.#why = DISK_SPOILED_TEXT;
    this.#feed({ kind: 'paused', why: this.#why });
    return false;
  }

  #isWanted(): boolean {
    const { phase, detail } = this.#state();
    return isLive(phase) && (phase !== 'paused' || detail === this.#why);
  }

  /** If the guest ran while its memory is saved or read, that memory would meet disks of another time. */
  #isHeld({ isAtBarrier }: Stopped): boolean {
    const { phase } = this.#state();
    return isAtBarrier || phase === 'suspending' || phase === 'starting';
  }
}
