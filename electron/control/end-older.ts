// An upgrade (DESIGN §2): who holds a lock and is of an older Ebb is asked to leave, and waited for. Control leaves its
// VMs running; storage closes its disks and its guests wait for the next one (T11).
import { pause, systemClock } from '../platform/clock.ts';
import { lockHolder } from '../platform/lock-owner.ts';
import { endProcess, isAlive } from '../platform/process.ts';
import { EBB_VERSION, isOlder } from '../platform/version.ts';

/** Closing many disks on a slow one takes a while; after this it is ended: both are made for that. */
const PATIENCE_MS = 15_000;
const POLL_MS = 25;

/** True where there was one. Never a newer one: a window that was left open must not take an upgrade back. */
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
