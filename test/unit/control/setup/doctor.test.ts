import { describe, expect, it } from 'vitest';
import { type DoctorFindings, examine } from '../../../../electron/control/setup/doctor.ts';
import type { Check } from '../../../../shared/host.ts';

const HERE = { isHere: true, fix: '' };
const well: DoctorFindings = {
  qemu: '/usr/bin/qemu-system-x86_64',
  qemuVersion: 'QEMU 10.0',
  qemuImg: '/usr/bin/qemu-img',
  probe: { accelerator: 'kvm', why: 'It works.', qemu: 'QEMU 10.0', boot: '' },
  totalKib: 8 * 1024 ** 2,
  availableKib: 4 * 1024 ** 2,
  reserveKib: 1024 ** 2,
  swapKib: 1024 ** 2,
  stalled: 0,
  dataFolder: '/data',
  freeBytes: 100 * 1024 ** 3,
  canWrite: true,
  sample: true,
  backstop: 'Nothing does.',
  parts: { uefi: HERE, secureBoot: HERE, tpm: HERE, cpuCap: HERE },
  windowsVms: 0,
  planAgeMs: 0,
};

const memoryOf = (change: Partial<DoctorFindings>): Check | undefined =>
  examine({ ...well, ...change }).checks.find(row => row.id === 'memory');

describe('doctor', () => {
  it('names the swap, its absence, or neither where the host does not say', () => {
    expect(memoryOf({})?.found).toContain('Swap: ');
    expect(memoryOf({ swapKib: 0 })?.found).toContain('No swap.');
    expect(memoryOf({ swapKib: null, stalled: null })?.found).not.toMatch(/swap/i);
  });

  it('warns, with what to do, while programs stand still for want of memory', () => {
    for (const stalled of [null, 0, 9.9])
      expect(memoryOf({ stalled })).toMatchObject({ state: 'ok', fix: '' });
    const strained = memoryOf({ stalled: 32.4 });
    expect(strained?.state).toBe('warn');
    expect(strained?.found).toContain('32 % of the last ten seconds');
    expect(strained?.fix).toContain('ebb vm suspend');
  });

  it('names what only some VMs need, with the command that brings it, and is well without it', () => {
    const lacking = { isHere: false, fix: 'sudo apt-get install ovmf' };
    const report = examine({ ...well, parts: { ...well.parts, uefi: lacking, secureBoot: lacking } });
    expect(report.ok).toBe(true);
    const of = (id: string): Check | undefined => report.checks.find(row => row.id === id);
    expect(of('uefi')).toMatchObject({ state: 'warn', fix: 'sudo apt-get install ovmf' });
    expect(of('secure-boot')).toMatchObject({ state: 'warn', found: expect.stringContaining('Windows 11') });
    expect(of('tpm')).toMatchObject({ state: 'ok', fix: '' });
    expect(of('guest-tools')?.found).not.toContain('http');
    const windows = examine({ ...well, windowsVms: 1 }).checks.find(row => row.id === 'guest-tools');
    expect(windows?.found).toContain('virtio-win.iso');
  });
});
