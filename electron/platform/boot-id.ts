// Which boot of the host this is (T11): page cache survives a process, not a boot.
import { readFileSync } from 'node:fs';
import { uptime } from 'node:os';

/** Stable for one boot. Where the OS names none, the boot minute stands in. */
export function bootId(): string {
  try {
    return readFileSync('/proc/sys/kernel/random/boot_id', 'utf8').trim();
  } catch {
    return `boot-${Math.round((Date.now() / 1000 - uptime()) / 60)}`;
  }
}
