// Upgrades (DESIGN §2): asks a service of an older Ebb that holds a lock to end, and waits for it. Control
// leaves its VMs running; storage closes its disks, and guests wait for the next storage (T11).
import { pause, systemClock } from '../platform/clock.ts';
import { lockHolder } from '../platform/lock-owner.ts';
import { endProcess, isAlive } from '../platform/process.ts';
import { EBB_VERSION, isOlder } from '../platform/version.ts';

/** Closing many disks on a slow one takes a while. After this it is killed, which both are made for. */
const PATIENCE_MS = 15_000;
const POLL_MS = 25;

/** True: there was an older one. A newer one is never ended: a window left open must not undo an upgrade. */
export async function endOlder(
  lockPath: string,
  log: (line: string) => void,
  version = EBB_VERSION,
): Promise<boolean> {
  const owner = lockHolder(lockPath);
  if (owner === null || !isOlder(owner.version ?? '', version)) return false;
  log(`process ${owner.pid} of Ebb ${owner.version ?? 'before versions'} makes way for ${version}`);
  endProcess(owner, 'SIGTERM');
  const deadlineMs = systemClock.monotonicMs() + PATIENCE_MS;
  while (isAlive(owner)) {
    if (systemClock.monotonicMs() > deadlineMs) endProcess(owner, 'SIGKILL');
    await pause(POLL_MS);
  }
  return true;
}
