// What each kind of system gets, and that the table holds what it promises.
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { newestMachine } from '../../../../electron/control/setup/machine-type.ts';
import { findFirmware } from '../../../../electron/control/vm/host-parts.ts';
import { KINDS, suggestedRange } from '../../../../shared/kinds.ts';
import { VM_MIN_KIB } from '../../../../shared/memory.ts';
import { GIB_KIB, MIB_KIB } from '../../../../shared/units.ts';
import { osKindSchema } from '../../../../shared/vm.ts';

describe('kinds of systems', () => {
  it('suggests a minimum of a quarter of the maximum or more, of Windows half, within half of what VMs may have', () => {
    fc.assert(
      fc.property(
        fc.constantFrom(...osKindSchema.options),
        fc.integer({ min: 8 * VM_MIN_KIB, max: 512 * GIB_KIB }),
        (os, budgetKib) => {
          const { minKib, maxKib } = suggestedRange(os, budgetKib);
          expect(minKib * KINDS[os].minPart).toBeGreaterThanOrEqual(maxKib);
          expect(minKib).toBeGreaterThanOrEqual(VM_MIN_KIB);
          expect(minKib).toBeLessThanOrEqual(maxKib);
          expect(maxKib).toBeLessThanOrEqual(Math.min(budgetKib / 2, KINDS[os].maxKib));
          expect(minKib % MIB_KIB).toBe(0);
        },
      ),
    );
    expect(suggestedRange('windows', 64 * GIB_KIB)).toEqual({ minKib: 2 * GIB_KIB, maxKib: 4 * GIB_KIB });
    expect(suggestedRange('linux', 64 * GIB_KIB)).toEqual({ minKib: GIB_KIB, maxKib: 4 * GIB_KIB });
  });

  it('gives Windows 11 what its installer asks for, and no Windows a disk it has no driver for', () => {
    expect(KINDS['windows-11']).toMatchObject({ firmware: 'uefi-secure', hasTpm: true, cpus: 2 });
    expect(KINDS['windows-11'].maxKib).toBeGreaterThanOrEqual(4 * GIB_KIB);
    for (const os of ['windows', 'windows-11', 'other'] as const) expect(KINDS[os].devices).toBe('emulated');
  });
});

describe('the parts of this computer', () => {
  it('takes firmware whose code and variables are both there, and whose variables are as large as a VM has', () => {
    const files = new Map([
      ['/usr/share/OVMF/OVMF_CODE_4M.fd', 3],
      ['/usr/share/OVMF/OVMF_CODE.fd', 2],
      ['/usr/share/OVMF/OVMF_VARS.fd', 128],
    ]);
    const find = (varsBytes: number | null) =>
      findFirmware('uefi', path => files.get(path) ?? null, varsBytes);
    expect(find(null)?.code).toBe('/usr/share/OVMF/OVMF_CODE.fd');
    files.set('/usr/share/OVMF/OVMF_VARS_4M.fd', 528);
    expect(find(null)?.code).toBe('/usr/share/OVMF/OVMF_CODE_4M.fd');
    expect(find(128)?.code).toBe('/usr/share/OVMF/OVMF_CODE.fd');
    expect(find(7)).toBeNull();
    expect(findFirmware('uefi-secure', path => files.get(path) ?? null, null)).toBeNull();
  });

  it('pins a versioned machine, never an alias', () => {
    const help = 'Supported machines are:\npc   Standard PC (alias of pc-i440fx-7.2)\n';
    expect(
      newestMachine(`${help}q35                  Standard PC (Q35 + ICH9, 2009) (alias of pc-q35-7.2)\n`),
    ).toBe('pc-q35-7.2');
    expect(newestMachine(help)).toBeNull();
    expect(newestMachine('q35 x (alias of pc-q35-7.2,kernel=/etc/passwd)')).toBeNull();
  });
});
