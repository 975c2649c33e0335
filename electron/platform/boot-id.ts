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

function told({ platform, read, run }: BootPorts): string {
  if (platform === 'darwin') return run('/usr/sbin/sysctl', ['-n', 'kern.bootsessionuuid']).trim();
  if (platform !== 'win32') return read('/proc/sys/kernel/random/boot_id').trim();
  // One more with every boot.
  const number = /BootId\s+REG_DWORD\s+0x([0-9a-f]+)/i.exec(
    run('reg.exe', ['query', PREFETCH, '/v', 'BootId']),
  );
  return number === null ? '' : `boot-number-${number[1]}`;
}

/** Stable for one boot. Where the OS names none, the boot minute stands in: a clock that is set makes it another. */
export function bootIdOf(ports: BootPorts): string {
  try {
    const id = told(ports);
    if (id !== '') return id;
  } catch {
    // An OS without: below.
  }
  return `boot-${Math.round(ports.bootedMs() / 60_000)}`;
}

export const bootId = (): string =>
  bootIdOf({
    platform: process.platform,
    read: path => readFileSync(path, 'utf8'),
    run: (program, args) =>
      execFileSync(program, args, { encoding: 'utf8', timeout: 5000, stdio: ['ignore', 'pipe', 'ignore'] }),
    bootedMs: () => Date.now() - uptime() * 1000,
  });
