// The VMs of a soak, what is known of each, and what was seen of the host's memory since.
import type { DiskId, MomentId, VmId } from '../../../shared/ids.ts';
import type { HostMemory } from '../../../shared/memory.ts';
import type { VmPhase } from '../../../shared/vm.ts';
import type { Agent, Ebb } from '../../support/ebb.ts';
import { startFromFixtures } from '../../support/fixtures.ts';
import type { Seeded } from '../../support/seeded.ts';

export const MIB = 1024;
export const DEV = '/dev/vda';
const BYTES_PER_MIB = 2 ** 20;
/** What is hashed. The writer writes behind it. */
export const SPAN = 16 * BYTES_PER_MIB;
export const WRITER = { dev: DEV, offset: 32 * BYTES_PER_MIB, slots: 64, pauseMs: 20 };
const GUEST = { minMib: 112, maxMib: 192, diskMib: 48 };
/** Not all of them at their maximum, with what QEMU needs under TCG. */
const BUDGET_MIB_EACH = 285;

export interface Recorded {
  readonly name: string;
  readonly hash: string;
  readonly hasMemory: boolean;
}

export class Machine {
  readonly name: string;
  readonly vmId: VmId;
  readonly diskId: DiskId;
  agent: Agent | null = null;
  /** Points that are there, or in the trash. */
  readonly recorded = new Map<MomentId, Recorded>();

  constructor(name: string, vmId: VmId, diskId: DiskId) {
    this.name = name;
    this.vmId = vmId;
    this.diskId = diskId;
  }
}

export class Fleet {
  readonly ebb: Ebb;
  readonly random: Seeded;
  readonly machines: readonly Machine[];
  /** Since they were looked at. */
  samples: HostMemory[] = [];
  #made = 0;

  private constructor(ebb: Ebb, random: Seeded, machines: readonly Machine[]) {
    this.ebb = ebb;
    this.random = random;
    this.machines = machines;
    ebb.subscribe('host', null, host => this.samples.push(host));
  }

  static async start(count: number, random: Seeded): Promise<Fleet> {
    const names = Array.from({ length: count }, (_, index) => `soaked-${index + 1}`);
    const guests = Object.fromEntries(names.map(name => [name, GUEST]));
    const ebb = await startFromFixtures(guests, `soaked-${count}`);
    const machines: Machine[] = [];
    for (const name of names) {
      const { vmId, diskId } = await ebb.vmNamed(name);
      machines.push(new Machine(name, vmId, diskId));
    }
    await ebb.call('memory.set-policy', { budgetKib: count * BUDGET_MIB_EACH * MIB, mode: 'demand' });
    return new Fleet(ebb, random, machines);
  }

  nextName(what: string): string {
    return `${what} ${++this.#made}`;
  }

  async phase({ vmId }: Machine): Promise<VmPhase> {
    return (await this.ebb.state(vmId)).phase;
  }
}
