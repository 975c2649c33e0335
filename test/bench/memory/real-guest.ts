// A real guest as the policies of test/sim/memory see one: sixteen times as large, so that constants made for a laptop's
// guests fit. What they ask for becomes minimum and maximum of the VM, so that one controller carries all of it out.
import type { GuestStats } from '../../../electron/control/ports.ts';
import type { VmId } from '../../../shared/ids.ts';
import { KERNEL } from '../../sim/memory/guest.ts';
import type { PeerGuest } from '../../sim/memory/peers/host.ts';
import type { Agent, Ebb } from '../../support/ebb.ts';
import { GUESTS, SCALE } from './trace.ts';

const MIB = 1024;

/** Since its swap was switched on. */
export interface Felt {
  readonly done: number;
  readonly asked: number;
  readonly stallS: number;
  readonly swapMib: number;
  readonly kills: number;
}

export class RealGuest implements PeerGuest {
  readonly vmId: VmId;
  readonly #ebb: Ebb;
  readonly #agent: Agent;
  readonly setup: PeerGuest['setup'];
  readonly unmet = 0;
  actual = 0;
  target: number;
  resident = 0;
  swapped = 0;
  residentMib = 0;
  movedMib = 0;
  #stats: GuestStats | null = null;
  #sentKib = 0;

  constructor(ebb: Ebb, agent: Agent, given: { vmId: VmId; overheadKib: number; startMib: number }) {
    this.#ebb = ebb;
    this.#agent = agent;
    this.vmId = given.vmId;
    this.target = given.startMib * SCALE;
    const { minMib, maxMib } = GUESTS.one;
    this.setup = {
      spec: { minKib: minMib * MIB * SCALE, maxKib: maxMib * MIB * SCALE },
      kind: 'normal',
      overheadMib: (given.overheadKib / MIB) * SCALE,
    };
  }

  async swapOn(): Promise<void> {
    const { status, out } = await this.#agent.call('sh', { cmd: 'mkswap /dev/vda && swapon /dev/vda' });
    if (status !== '0') throw new Error(`no swap in the guest: ${out}`);
  }

  async observe(): Promise<void> {
    const [memory, meminfo] = await Promise.all([
      this.#ebb.call('memory.show', { vmId: this.vmId }),
      this.#agent.call('meminfo'),
    ]);
    const kib = (name: string): number => Number(meminfo[name] ?? 0) * SCALE;
    const before = this.actual;
    this.actual = ((memory.actualKib ?? 0) / MIB) * SCALE;
    if (before > 0) this.movedMib += Math.abs(this.actual - before) / SCALE;
    this.residentMib = ((memory.residentKib ?? 0) / MIB) * SCALE;
    this.swapped = (kib('SwapTotal') - kib('SwapFree')) / MIB;
    const unusedMib = (kib('MemFree') + kib('Cached') + kib('Buffers')) / MIB;
    this.resident = this.actual - unusedMib - KERNEL;
    this.#stats = {
      totalKib: kib('MemTotal'),
      freeKib: kib('MemFree'),
      availableKib: kib('MemAvailable'),
      cachesKib: kib('Cached') + kib('Buffers'),
      swapInKib: null,
      swapOutKib: null,
      majorFaults: null,
      updatedAtMs: 0,
    };
  }

  ask(targetMib: number): void {
    this.target = targetMib;
  }

  sample(): { readonly stats: GuestStats | null } {
    return { stats: this.#stats };
  }

  /** What was asked for last goes to the controller. */
  async send(): Promise<void> {
    const kib = Math.round(this.target / SCALE) * MIB;
    if (kib === this.#sentKib) return;
    this.#sentKib = kib;
    await this.#ebb.call('memory.set-range', { vmId: this.vmId, minKib: kib, maxKib: kib });
  }

  async start(trace: readonly number[], rate: number): Promise<void> {
    await this.#agent.call('load-start', { trace: trace.map(mib => Math.round(mib)).join(','), rate });
  }

  async felt(): Promise<Felt> {
    const told = await this.#agent.call('load-report');
    const of = (name: string): number => Number(told[name] ?? 0);
    return {
      done: of('done'),
      asked: of('asked'),
      stallS: of('stalledUs') / 1e6,
      swapMib: ((of('pswpin') + of('pswpout')) * 4) / MIB,
      kills: of('oom_kill'),
    };
  }
}
