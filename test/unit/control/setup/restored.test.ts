import { describe, expect, it } from 'vitest';
import { restoredSpec } from '../../../../electron/control/setup/restored.ts';
import { configurationDifferences } from '../../../../shared/configuration.ts';
import type { MemoryRange } from '../../../../shared/memory.ts';
import { ok, refuse } from '../../../../shared/result.ts';
import { specOf } from '../../../support/memory-world.ts';
import { managed, unrestricted } from '../../../support/policies.ts';

const MIB = 1024;
const today = { ...specOf(1), name: 'today', notes: 'of today', cpus: 2, machineType: 'pc-q35-7.2' };
const then = {
  ...specOf(1, 512, 2048),
  name: 'then',
  notes: 'of then',
  cpus: 8,
  network: 'user' as const,
  portForwards: [{ protocol: 'tcp' as const, hostPort: 2222, guestPort: 22 }],
};
const any = (range: MemoryRange) => ok(range);

describe('a VM set up as it was at a moment', () => {
  it('has its machine and memory of then, and its name, notes and disks of today', () => {
    const { cpus, minKib, maxKib, network, portForwards } = then;
    expect(restoredSpec(today, then, unrestricted, any)).toEqual({
      ...today,
      ...{ cpus, minKib, maxKib, network, portForwards },
    });
  });

  it('has the CD drive of today: what was in it then may be gone', () => {
    const inserted = { ...then, boot: { kind: 'iso' as const, isoName: 'installer.iso' } };
    expect(restoredSpec(today, inserted, unrestricted, any).boot).toEqual(today.boot);
    expect(restoredSpec(inserted, today, unrestricted, any).boot).toEqual(inserted.boot);
  });

  it("M10: never exceeds today's policy, and a range this host refuses stays today's", () => {
    const policy = managed({
      'vm.cpus': { max: 4 },
      'memory.vm.max': { max: '1GiB' },
      'network.modes': { allowed: ['isolated', 'none'] },
      'network.forwards': { value: false },
    });
    expect(restoredSpec(today, then, policy, any)).toMatchObject({
      cpus: 4,
      minKib: 512 * MIB,
      maxKib: 1024 * MIB,
      network: 'none',
      portForwards: [],
    });
    const refused = refuse({ code: 'memory.over-host' as const, what: '', safe: '', todo: '' });
    const { minKib, maxKib } = today;
    expect(restoredSpec(today, then, unrestricted, () => refused)).toMatchObject({ minKib, maxKib, cpus: 8 });
  });

  it('what differs is told; a machine that was not pinned yet is no other', () => {
    expect(configurationDifferences(then, today)).toEqual([
      ...['cpus', 'minKib', 'maxKib', 'network', 'portForwards'],
    ]);
    expect(configurationDifferences(today, today)).toEqual([]);
  });
});
