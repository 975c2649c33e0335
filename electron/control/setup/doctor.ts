// Tells what is right and wrong with this computer, and the exact step that mends it. Changes nothing.
import type { Check, DoctorReport } from '../../../shared/host.ts';
import { amountText, bytesText, GIB } from '../../../shared/units.ts';
import type { HostParts } from '../../../shared/vm-setup.ts';
import type { ProbeResult } from './accelerator.ts';

export interface DoctorFindings {
  readonly qemu: string | null;
  readonly qemuVersion: string;
  readonly qemuImg: string | null;
  readonly probe: ProbeResult;
  readonly totalKib: number;
  readonly availableKib: number;
  readonly reserveKib: number;
  /** 0 without swap; null where the host does not say. */
  readonly swapKib: number | null;
  /** Percent of the last ten seconds in which every program waited for memory; null where the host does not say. */
  readonly stalled: number | null;
  readonly dataFolder: string;
  readonly freeBytes: number;
  readonly canWrite: boolean;
  readonly sample: boolean;
  /** What keeps a VM to what it was promised, or why nothing does. */
  readonly backstop: string;
  readonly parts: HostParts;
  /** How many VMs are of Windows. */
  readonly windowsVms: number;
  readonly planAgeMs: number;
}

/** With less than this, a day's work of one guest may not fit. */
const DISK_WARN_BYTES = 10 * GIB;
const DISK_FAIL_BYTES = GIB;

/** In percent; people feel that a computer that waits this much is slow. */
const STALLED_WARN = 10;

const check = (id: string, title: string, state: Check['state'], found: string, fix = ''): Check => ({
  id,
  title,
  state,
  found,
  fix,
});

function accelerator({ accelerator: kind, qemu, why }: ProbeResult): Check {
  if (kind === 'kvm') return check('acceleration', 'Hardware acceleration', 'ok', why);
  if (qemu === '')
    return check(
      'acceleration',
      'Hardware acceleration',
      'warn',
      `It could not be tried: ${why}`,
      'Put that right, then check again.',
    );
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

function memoryCheck(found: DoctorFindings): Check {
  const { totalKib, availableKib, reserveKib, swapKib, stalled } = found;
  const waits = stalled !== null && stalled >= STALLED_WARN;
  const sentences = [
    `${amountText(totalKib)} in all, ${amountText(availableKib)} available; ${amountText(reserveKib)} are kept for this computer.`,
    swapKib === null ? '' : swapKib === 0 ? 'No swap.' : `Swap: ${amountText(swapKib)}.`,
    waits ? `Programs stood still for want of memory ${stalled.toFixed(0)} % of the last ten seconds.` : '',
  ];
  return check(
    'memory',
    'Memory',
    waits ? 'warn' : 'ok',
    sentences.filter(text => text !== '').join(' '),
    waits ? 'Suspend a VM (ebb vm suspend VM), or close other programs.' : '',
  );
}

const DRIVERS =
  'https://fedorapeople.org/groups/virt/virtio-win/direct-downloads/stable-virtio/virtio-win.iso';

/** What only some VMs need: without it those are refused with a reason; other VMs are not affected. */
function partChecks({ parts, windowsVms }: DoctorFindings): Check[] {
  const part = (id: string, title: string, { isHere, fix }: HostParts['tpm'], here: string, lacks: string) =>
    check(id, title, isHere ? 'ok' : 'warn', isHere ? here : lacks, fix);
  const tools =
    windowsVms === 0
      ? 'Linux and BSD have the drivers built in; Windows would need virtio-win.'
      : `Windows moves its memory only with the drivers of virtio-win in it: ${DRIVERS}`;
  return [
    part(
      'uefi',
      'UEFI firmware',
      parts.uefi,
      'OVMF is here.',
      'OVMF is missing: VMs start with a BIOS only.',
    ),
    part(
      'secure-boot',
      'Secure Boot',
      parts.secureBoot,
      "OVMF with Microsoft's keys is here.",
      'Firmware with Secure Boot is missing; Windows 11 asks for it.',
    ),
    part(
      'tpm',
      'TPM',
      parts.tpm,
      'swtpm is here.',
      'swtpm is missing: VMs have no TPM; Windows 11 asks for one.',
    ),
    check('guest-tools', 'Guest drivers', 'ok', tools),
  ];
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
    memoryCheck(found),
    check(
      'disk',
      'Disk space',
      disk,
      `${bytesText(found.freeBytes)} free in ${found.dataFolder}.`,
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
    ...partChecks(found),
    check(
      'balancing',
      'Memory balancing',
      found.planAgeMs < 30_000 ? 'ok' : 'warn',
      `Last plan ${(found.planAgeMs / 1000).toFixed(0)} s ago. ${found.backstop}`,
    ),
  ];
  return { ok: checks.every(row => row.state !== 'fail'), checks };
}
