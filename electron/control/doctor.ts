// What is right and wrong with this computer, each with the exact step that mends it. Asks; changes nothing.
import type { Check, DoctorReport } from '../../shared/host.ts';
import { amountText, GIB, KIB } from '../../shared/units.ts';
import type { ProbeResult } from './accelerator.ts';

export interface DoctorFindings {
  readonly qemu: string | null;
  readonly qemuVersion: string;
  readonly qemuImg: string | null;
  readonly probe: ProbeResult;
  readonly totalKib: number;
  readonly availableKib: number;
  readonly reserveKib: number;
  readonly dataFolder: string;
  readonly freeBytes: number;
  readonly canWrite: boolean;
  readonly sample: boolean;
  readonly planAgeMs: number;
}

/** Less than this and a day's work of one guest may not fit. */
const DISK_WARN_BYTES = 10 * GIB;
const DISK_FAIL_BYTES = GIB;

const check = (id: string, title: string, state: Check['state'], found: string, fix = ''): Check => ({
  id,
  title,
  state,
  found,
  fix,
});

function accelerator({ accelerator: kind, why }: ProbeResult): Check {
  if (kind === 'kvm') return check('acceleration', 'Hardware acceleration', 'ok', why);
  const fix = why.includes('/dev/kvm')
    ? 'Turn virtualization (VT-x, AMD-V) on in the firmware, then: sudo modprobe kvm'
    : 'If your account may not use it: sudo usermod -aG kvm $USER, then log out and in. Inside another VM, nested virtualization must be on.';
  return check(
    'acceleration',
    'Hardware acceleration',
    'warn',
    `Slow mode: guests run about ten times slower. ${why}`,
    fix,
  );
}

export function examine(found: DoctorFindings): DoctorReport {
  const disk = found.freeBytes < DISK_FAIL_BYTES ? 'fail' : found.freeBytes < DISK_WARN_BYTES ? 'warn' : 'ok';
  const checks: Check[] = [
    found.qemu === null
      ? check(
          'qemu',
          'QEMU',
          'fail',
          'qemu-system-x86_64 is not on the PATH.',
          'sudo apt-get install qemu-system-x86',
        )
      : check('qemu', 'QEMU', 'ok', `${found.qemuVersion} at ${found.qemu}`),
    found.qemuImg === null
      ? check(
          'qemu-img',
          'Disk tools',
          'fail',
          'qemu-img is not on the PATH; disks cannot be imported.',
          'sudo apt-get install qemu-utils',
        )
      : check('qemu-img', 'Disk tools', 'ok', found.qemuImg),
    accelerator(found.probe),
    check(
      'memory',
      'Memory',
      'ok',
      `${amountText(found.totalKib)} in all, ${amountText(found.availableKib)} available; ${amountText(found.reserveKib)} are kept for this computer.`,
    ),
    check(
      'disk',
      'Disk space',
      disk,
      `${amountText(found.freeBytes / KIB)} free in ${found.dataFolder}.`,
      disk === 'ok' ? '' : "Free some space, or move Ebb's data: set EBB_DATA to a folder on another disk.",
    ),
    found.canWrite
      ? check('permissions', 'Permissions', 'ok', `${found.dataFolder} can be written.`)
      : check(
          'permissions',
          'Permissions',
          'fail',
          `${found.dataFolder} cannot be written.`,
          `sudo chown -R $USER ${found.dataFolder}`,
        ),
    found.sample
      ? check('sample', 'Sample guest', 'ok', 'It is assembled.')
      : check(
          'sample',
          'Sample guest',
          'warn',
          'It is not assembled; other VMs work without it.',
          'Run npm start once with apt-get available.',
        ),
    check(
      'balancing',
      'Memory balancing',
      found.planAgeMs < 30_000 ? 'ok' : 'warn',
      `Last plan ${(found.planAgeMs / 1000).toFixed(0)} s ago.`,
    ),
  ];
  return { ok: checks.every(row => row.state !== 'fail'), checks };
}
