import { describe, expect, it } from 'vitest';
import { configured } from '../../../../electron/control/setup/configure.ts';
import { conflictOf, type OtherVm, takenBy } from '../../../../electron/control/setup/port-conflicts.ts';
import { setupChangeSchema } from '../../../../shared/vm-setup.ts';
import { specOf } from '../../../support/memory-world.ts';

const spec = specOf(1);
const off = { phase: 'off', hasSavedMemory: false } as const;
const running = { phase: 'running', hasSavedMemory: false } as const;
const tcp = (hostPort: number) => ({ protocol: 'tcp' as const, hostPort, guestPort: 22 });

describe('changing how a VM is set up', () => {
  it('changes what is said and nothing else', () => {
    const change = { cpus: 4, group: 'work', autostart: { order: 2, delaySeconds: 10 } };
    expect(configured(spec, change, off)).toEqual({
      ok: true,
      value: { spec: { ...spec, ...change }, applies: 'now' },
    });
    expect(configured(spec, { cpus: undefined }, off)).toMatchObject({ value: { spec } });
  });

  it('says that a machine that runs is changed at its next start, and notes at once', () => {
    const when = (
      change: Parameters<typeof configured>[1],
      stand: Parameters<typeof configured>[2] = running,
    ) => {
      const found = configured(spec, change, stand);
      return found.ok ? found.value.applies : found.refusal.code;
    };
    expect(when({ cpus: spec.cpus + 1 })).toBe('next-start');
    expect(when({ portForwards: [tcp(2222)] })).toBe('next-start');
    expect(when({ cpus: spec.cpus, notes: 'n' })).toBe('now');
    expect(when({ group: 'g', autostart: null })).toBe('now');
    // L4: saved memory belongs to the machine it was saved from.
    expect(when({ cpus: spec.cpus + 1 }, { phase: 'suspended', hasSavedMemory: true })).toBe('next-start');
    for (const change of [{ firmware: 'uefi' }, { hasTpm: true }, { devices: 'emulated' }] as const) {
      expect(when(change)).toBe('vm.wrong-state');
      expect(when(change, { phase: 'failed', hasSavedMemory: true })).toBe('vm.wrong-state');
      expect(when(change, off)).toBe('now');
    }
    expect(when({ firmware: spec.firmware })).toBe('now');
  });

  it('refuses one host port for two guests of it, not of two protocols', () => {
    expect(configured(spec, { portForwards: [tcp(80), tcp(80)] }, off)).toMatchObject({
      refusal: { code: 'vm.bad-spec', what: expect.stringContaining('tcp port 80') },
    });
    const both = [tcp(53), { ...tcp(53), protocol: 'udp' as const }];
    expect(configured(spec, { portForwards: both }, off)).toMatchObject({ ok: true });
  });

  it('takes no ports that cannot be, and no group of several lines', () => {
    for (const change of [
      { portForwards: [tcp(0)] },
      { portForwards: [tcp(65_536)] },
      { portForwards: [{ ...tcp(1), protocol: 'sctp' }] },
      { portForwards: [{ ...tcp(1), guestPort: '22,hostfwd=tcp::1-:1' }] },
      { group: 'a\nb' },
      { cpus: 65 },
      { autostart: { order: 0, delaySeconds: 0 } },
      { machineType: 'pc-q35-7.2' },
      { name: 'x' },
    ])
      expect(setupChangeSchema.safeParse(change).success, JSON.stringify(change)).toBe(false);
  });
});

describe('host ports', () => {
  const other = (change: Partial<OtherVm['spec']>, isRunning = true): OtherVm => ({
    spec: { name: 'dev', network: 'user', portForwards: [tcp(2222)], ...change },
    isRunning,
  });

  it('are taken by VMs that run and have a network', () => {
    expect(takenBy(tcp(2222), [other({})])?.spec.name).toBe('dev');
    expect(takenBy(tcp(2222), [other({ network: 'isolated' })])?.spec.name).toBe('dev');
    expect(takenBy(tcp(2222), [other({ network: 'none' })])).toBeNull();
    expect(takenBy(tcp(2222), [other({}, false)])).toBeNull();
    expect(takenBy({ ...tcp(2222), protocol: 'udp' }, [other({})])).toBeNull();
  });

  it('are told with whoever has them', () => {
    expect(conflictOf(tcp(2222), other({})).what).toBe(
      'The tcp port 2222 of this computer is used by the VM "dev".',
    );
    expect(conflictOf(tcp(2222), 'program').what).toContain('another program');
    expect(conflictOf(tcp(22), 'denied').what).toContain('above 1023');
  });
});
