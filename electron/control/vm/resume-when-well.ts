// L5: a VM paused by a disk error goes on by itself when the cause is gone: ask storage, `cont`, and look again, because
// the first `cont` after a server's return may fail at once.
import type { Clock } from '../../platform/ports.ts';
import type { StoragePort } from '../ports.ts';
import type { QmpSession } from '../qmp/session.ts';
import type { Guest } from './guest.ts';
import { delay } from './wait.ts';

const FIRST_MS = 500;
const RETRY_MS_MAX = 8_000;
const LOOK_AGAIN_MS = 300;

export interface RecoveryInput {
  readonly live: {
    readonly guest: Pick<Guest, 'vmId' | 'status'>;
    readonly qmp: Pick<QmpSession, 'execute' | 'isOpen'>;
  };
  readonly ports: {
    readonly clock: Clock;
    readonly storage: Pick<StoragePort, 'healthy'>;
    readonly log: (line: string) => void;
  };
  /** False when the VM was stopped meanwhile. */
  readonly isWanted: () => boolean;
  readonly stillPaused: () => void;
}

/** Resolves when the VM runs, or is not wanted any more. */
export async function resumeWhenWell({ live, ports, isWanted, stillPaused }: RecoveryInput): Promise<void> {
  const { guest, qmp } = live;
  const { clock, storage, log } = ports;
  for (let waitMs = FIRST_MS; qmp.isOpen && isWanted(); waitMs = Math.min(waitMs * 2, RETRY_MS_MAX)) {
    await delay(clock, waitMs);
    try {
      await storage.healthy();
      await qmp.execute('cont');
      await delay(clock, LOOK_AGAIN_MS);
      if ((await guest.status()).running) return;
    } catch (cause) {
      log(`vm ${guest.vmId}: not resumed yet: ${String(cause)}`);
    }
    stillPaused();
  }
}
