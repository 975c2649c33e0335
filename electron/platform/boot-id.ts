// Which boot of the host this is (T11): page cache survives a process, not a boot.
import { execFileSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { uptime } from 'node:os';

/** The ways a host tells which boot it is in. */
export interface BootPorts {
  readonly platform: NodeJS.Platform;
  readonly read: (path: string) => string;
  /** What the program prints; null: it is missing or fails, so this host never tells. Else throws. */
  readonly run: (program: string, args: readonly string[]) => string | null;
  readonly bootedMs: () => number;
}

const PREFETCH =
  'HKLM\\SYSTEM\\CurrentControlSet\\Control\\Session Manager\\Memory Management\\PrefetchParameters';

/** The OS's own name of this boot; empty where it has none. */
function told({ platform, read, run }: BootPorts): string {
  if (platform === 'darwin') return run('/usr/sbin/sysctl', ['-n', 'kern.bootsessionuuid'])?.trim() ?? '';
  if (platform === 'win32') {
    // Windows raises this number by one with every boot.
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
 * Stable within one boot: throws rather than name the boot otherwise than before. Where the OS has no name
 * for it, the minute of the boot stands in; setting the clock changes that minute.
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
