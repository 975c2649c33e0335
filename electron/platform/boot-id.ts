// Which boot of the host this is (T11): page cache survives a process, not a boot.
import { execFileSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { uptime } from 'node:os';

/** How a host tells of it. */
export interface BootPorts {
  readonly platform: NodeJS.Platform;
  readonly read: (path: string) => string;
  /** What it prints; null where it is not there, or ends with a failure: it never tells. */
  readonly run: (program: string, args: readonly string[]) => string | null;
  readonly bootedMs: () => number;
}

const PREFETCH =
  'HKLM\\SYSTEM\\CurrentControlSet\\Control\\Session Manager\\Memory Management\\PrefetchParameters';

/** Empty where the OS does not say. */
function told({ platform, read, run }: BootPorts): string {
  if (platform === 'darwin') return run('/usr/sbin/sysctl', ['-n', 'kern.bootsessionuuid'])?.trim() ?? '';
  if (platform === 'win32') {
    // One more with every boot.
    const text = run('reg.exe', ['query', PREFETCH, '/v', 'BootId']) ?? '';
    const [, number = ''] = /BootId\s+REG_DWORD\s+0x([0-9a-f]+)/i.exec(text) ?? [];
    return number === '' ? '' : `boot-number-${number}`;
  }
  try {
    return read('/proc/sys/kernel/random/boot_id').trim();
  } catch {
    return '';
  }
}

/**
 * Stable for one boot: throws rather than to name it otherwise than before. Where the OS names none, the boot minute stands
 * in: a clock that is set makes it another.
 */
export function bootIdOf(ports: BootPorts): string {
  const id = told(ports);
  return id === '' ? `boot-${Math.round(ports.bootedMs() / 60_000)}` : id;
}

function answerOf(program: string, args: readonly string[]): string | null {
  try {
    return execFileSync(program, args, {
      encoding: 'utf8',
      timeout: 30_000,
      stdio: ['ignore', 'pipe', 'ignore'],
    });
  } catch (cause) {
    const { code, status } = cause as { readonly code?: string; readonly status?: number | null };
    if (code === 'ENOENT' || typeof status === 'number') return null;
    throw cause;
  }
}

let known: string | null = null;

export function bootId(): string {
  known ??= bootIdOf({
    platform: process.platform,
    read: path => readFileSync(path, 'utf8'),
    run: answerOf,
    bootedMs: () => Date.now() - uptime() * 1000,
  });
  return known;
}
