// Which boot of the host this is (T11): page cache survives a process, not a boot.
import { execFileSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { uptime } from 'node:os';

/** How a host tells of it; each throws where it does not. */
export interface BootPorts {
  readonly platform: NodeJS.Platform;
  readonly read: (path: string) => string;
  readonly run: (program: string, args: readonly string[]) => string;
  readonly bootedMs: () => number;
}

const PREFETCH =
  'HKLM\\SYSTEM\\CurrentControlSet\\Control\\Session Manager\\Memory Management\\PrefetchParameters';

/** Null where the OS does not say. */
function told({ platform, read, run }: BootPorts): string | null {
  if (platform === 'darwin') return run('/usr/sbin/sysctl', ['-n', 'kern.bootsessionuuid']).trim();
  if (platform === 'win32') {
    // One more with every boot.
    const found = /BootId\s+REG_DWORD\s+0x([0-9a-f]+)/i.exec(
      run('reg.exe', ['query', PREFETCH, '/v', 'BootId']),
    );
    return found === null ? null : `boot-number-${found[1]}`;
  }
  try {
    return read('/proc/sys/kernel/random/boot_id').trim();
  } catch {
    return null;
  }
}

/**
 * Stable for one boot: throws rather than to name it otherwise than before. Where the OS names none, the boot minute stands
 * in: a clock that is set makes it another.
 */
export const bootIdOf = (ports: BootPorts): string =>
  told(ports) ?? `boot-${Math.round(ports.bootedMs() / 60_000)}`;

let known: string | null = null;

export function bootId(): string {
  known ??= bootIdOf({
    platform: process.platform,
    read: path => readFileSync(path, 'utf8'),
    run: (program, args) =>
      execFileSync(program, args, { encoding: 'utf8', timeout: 30_000, stdio: ['ignore', 'pipe', 'ignore'] }),
    bootedMs: () => Date.now() - uptime() * 1000,
  });
  return known;
}
