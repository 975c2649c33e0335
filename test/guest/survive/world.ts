// One VM in an Ebb of its own, for one cell: what was written to its disk, what its guest has in memory, and the ways in.
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import type { DiskId, VmId } from '../../../shared/ids.ts';
import type { Task } from '../../../shared/task.ts';
import type { VmState } from '../../../shared/vm.ts';
import { type Agent, type Ebb, waitFor } from '../../support/ebb.ts';
import { startFromCopy, startFromFixtures } from '../../support/fixtures.ts';
import { HeadlessShell, Page } from '../../support/page.ts';
import type { Seeded } from '../../support/seeded.ts';
import type { Part } from './table.ts';

export const DEV = '/dev/vda';
const MIB = 2 ** 20;
export const SPAN = 32 * MIB;
export const WRITER = { dev: DEV, offset: 64 * MIB, slots: 256, pauseMs: 1 };
const GUEST = { survivor: { minMib: 112, maxMib: 192, diskMib: 128 } } as const;
export const MARK = '/run/mark';

export const hashOf = async (agent: Agent): Promise<string> =>
  (await agent.call('hash', { dev: DEV, offset: 0, length: SPAN, algorithm: 'units' })).units ?? '';

export const scatter = async (agent: Agent, random: Seeded, mib: number): Promise<void> => {
  const where = { dev: DEV, offset: 0, span: SPAN };
  await agent.call('scatter', { ...where, bytes: mib * MIB, seed: random.below(2 ** 30) });
};

/** A guest that was booted once, has a history, and is suspended with a mark in its memory. */
export interface Saved {
  readonly folder: string;
  /** Of the points that are there, by their moments' names, as the guest read them. */
  readonly recorded: ReadonlyMap<string, string>;
}

export async function saveOne(random: Seeded): Promise<Saved> {
  const ebb = await startFromFixtures(GUEST, 'survivor');
  const { vmId } = await ebb.vmNamed('survivor');
  const agent = await ebb.startVm(vmId);
  const recorded = new Map<string, string>();
  for (const name of ['first', 'second']) {
    await scatter(agent, random, 8);
    recorded.set(name, await hashOf(agent));
    await ebb.call('moment.take', { vmId, name, note: '' });
  }
  await agent.call('sh', { cmd: `echo kept > ${MARK}` });
  await ebb.settled(vmId);
  await ebb.done((await ebb.call('vm.suspend', { vmId })).taskId);
  await ebb.quit();
  return { folder: ebb.paths.dataFolder, recorded };
}

export class World {
  readonly ebb: Ebb;
  readonly vmId: VmId;
  readonly diskId: DiskId;
  readonly random: Seeded;
  readonly recorded: Map<string, string>;
  shell: HeadlessShell | null = null;
  page: Page | null = null;
  /** QEMU serves one at a time. */
  agent: Agent | null = null;
  /** The newest that was heard of, until control or the VM went. */
  state: VmState;
  tasks: readonly Task[] = [];

  private constructor(
    ebb: Ebb,
    vm: { vmId: VmId; diskId: DiskId },
    state: VmState,
    random: Seeded,
    saved: Saved,
  ) {
    this.ebb = ebb;
    this.vmId = vm.vmId;
    this.diskId = vm.diskId;
    this.state = state;
    this.random = random;
    this.recorded = new Map(saved.recorded);
    ebb.subscribe('vms', null, ({ vms }) => {
      this.state = vms.find(({ spec }) => spec.id === vm.vmId)?.state ?? this.state;
    });
    ebb.subscribe('tasks', null, ({ tasks }) => {
      this.tasks = tasks;
    });
  }

  static async open(saved: Saved, part: Part, random: Seeded): Promise<World> {
    const ebb = await startFromCopy(saved.folder);
    const vm = await ebb.vmNamed('survivor');
    const world = new World(ebb, vm, await ebb.state(vm.vmId), random, saved);
    if (part === 'renderer' || part === 'shell') await world.openPage();
    return world;
  }

  async openPage(): Promise<void> {
    this.shell ??= await HeadlessShell.start(this.ebb.paths.dataFolder);
    this.page = await Page.open(this.shell);
  }

  /** By the page where there is one, as a person would. */
  get call(): Page['call'] {
    return this.page === null ? this.ebb.call : this.page.call.bind(this.page);
  }

  get home(): string {
    return join(this.ebb.paths.dataFolder, 'vms', this.vmId);
  }

  /** A point of the guest, which runs, is being taken. */
  get isAtBarrier(): boolean {
    return existsSync(join(this.home, 'barrier.json'));
  }

  /** Null: the VM is gone. */
  async found(): Promise<VmState | null> {
    const { vms } = await this.ebb.call('vm.list', {});
    return vms.find(({ spec }) => spec.id === this.vmId)?.state ?? null;
  }

  /** When nothing is under way any more. */
  atRest(): Promise<{ readonly state: VmState | null }> {
    return waitFor('the VM to be at rest', async () => {
      const { tasks } = await this.ebb.call('task.list', {});
      const state = await this.found();
      const isMoving = state !== null && ['starting', 'stopping', 'suspending'].includes(state.phase);
      return tasks.some(task => task.state === 'running') || isMoving ? null : { state };
    });
  }

  async dispose(): Promise<void> {
    await this.page?.end();
    await this.shell?.end();
    await this.ebb.dispose();
  }
}
