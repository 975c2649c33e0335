// L5: a VM paused by a disk error goes on by itself when the cause is gone: ask storage, `cont`, and look again, because
// the first `cont` after a server's return may fail at once.
import type { Clock } from '../../platform/ports.ts';
import type { QmpSession } from '../qmp/session.ts';
import type { Guest } from './guest.ts';
import { delay } from './wait.ts';

const FIRST_MS = 500;
const RETRY_MS_MAX = 8_000;
const LOOK_AGAIN_MS = 300;

export interface RecoveryInput {
  readonly clock: Clock;
  readonly guest: Pick<Guest, 'status'>;
  readonly qmp: Pick<QmpSession, 'execute' | 'isOpen'>;
  readonly healthy: () => Promise<void>;
  /** False when the VM was stopped meanwhile. */
  readonly isWanted: () => boolean;
  readonly stillPaused: () => void;
  readonly log: (line: string) => void;
}

/** Resolves when the VM runs, or is not wanted any more. */
export async function resumeWhenWell(input: RecoveryInput): Promise<void> {
  const { clock, guest, qmp, healthy, isWanted, stillPaused, log } = input;
  for (let waitMs = FIRST_MS; qmp.isOpen && isWanted(); waitMs = Math.min(waitMs * 2, RETRY_MS_MAX)) {
    await delay(clock, waitMs);
    try {
      await healthy();
      await qmp.execute('cont');
      await delay(clock, LOOK_AGAIN_MS);
      if ((await guest.status()).running) return;
    } catch (cause) {
      log(`not resumed yet: ${String(cause)}`);
    }
    stillPaused();
  }
}
