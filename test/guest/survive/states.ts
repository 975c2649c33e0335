// How a VM is brought into each state, and how long it is in it.
import { type Agent, pause, waitFor } from '../../support/ebb.ts';
import type { State } from './table.ts';
import { hashOf, scatter, type World, WRITER } from './world.ts';

export interface Reached {
  /** Records whose flush the guest was told of. */
  readonly acked: number;
  readonly qemuPid: number | null;
  /** As far as was heard. */
  readonly isStillIn: () => boolean;
  /** Of that long the kill is put off, at most. */
  readonly delayMs: number;
}

/** What is being taken while somebody dies. */
export const TAKEN = 'taken';
const STEP_MS = 1;

async function resumed(world: World): Promise<Agent> {
  const agent = await world.ebb.startVm(world.vmId);
  world.agent = agent;
  await agent.call('writer-start', WRITER);
  await waitFor('the writer to write', async () => Number((await agent.call('writer-report')).acked) > 8);
  return agent;
}
const ackedOf = async (agent: Agent): Promise<number> => Number((await agent.call('writer-report')).acked);

/** What is asked goes on by itself; that it ends with who was killed is no matter. */
function asked(work: Promise<unknown>): { readonly isOver: () => boolean } {
  let isOver = false;
  work.then(
    () => (isOver = true),
    () => (isOver = true),
  );
  return { isOver: () => isOver };
}

/** Or until it cannot come true any more. */
async function seen(isSo: () => boolean | Promise<boolean>, isOver: () => boolean): Promise<void> {
  while (!(await isSo()) && !isOver()) await pause(STEP_MS);
}

const taskOf = (world: World, kind: string) => world.tasks.find(task => task.kind === kind);
const hasEnded = (world: World, kind: string): boolean => {
  const task = taskOf(world, kind);
  return task !== undefined && task.state !== 'running';
};

export const REACH: Readonly<Record<State, (world: World) => Promise<Reached>>> = {
  idle: async world => {
    const agent = await resumed(world);
    const acked = await ackedOf(agent);
    await world.ebb.stopVm(world.vmId);
    await world.ebb.settled(world.vmId);
    return { acked, qemuPid: null, isStillIn: () => world.state.phase === 'off', delayMs: 0 };
  },

  starting: async world => {
    asked(world.call('vm.start', { vmId: world.vmId }));
    const isIn = (): boolean => world.state.phase === 'starting' && world.state.pid !== null;
    await seen(isIn, () => hasEnded(world, 'vm.start'));
    return { acked: 0, qemuPid: world.state.pid, isStillIn: isIn, delayMs: 400 };
  },

  running: async world => {
    const agent = await resumed(world);
    const qemuPid = world.state.pid;
    await pause(world.random.below(100));
    const acked = await ackedOf(agent);
    return { acked, qemuPid, isStillIn: () => world.state.phase === 'running', delayMs: 0 };
  },

  take: async world => {
    const agent = await resumed(world);
    await scatter(agent, world.random, 4);
    world.recorded.set(TAKEN, await hashOf(agent));
    const acked = await ackedOf(agent);
    const { isOver } = asked(world.call('moment.take', { vmId: world.vmId, name: TAKEN, note: '' }));
    await seen(() => world.isAtBarrier, isOver);
    const isStillIn = (): boolean => world.isAtBarrier && !isOver();
    return { acked, qemuPid: world.state.pid, isStillIn, delayMs: 60 };
  },

  reversal: async world => {
    const { vmId, random } = world;
    const agent = await resumed(world);
    await scatter(agent, random, 24);
    world.recorded.set(TAKEN, await hashOf(agent));
    const acked = await ackedOf(agent);
    let isTurning = false;
    let wasTurning = false;
    world.ebb.subscribe('timeline', vmId, ({ settle }) => {
      isTurning = settle.reversal !== null;
      wasTurning ||= isTurning;
    });
    await world.call('moment.take', { vmId, name: TAKEN, note: '' });
    await waitFor('an edge to be turned', () => wasTurning);
    return { acked, qemuPid: world.state.pid, isStillIn: () => isTurning, delayMs: 60 };
  },

  suspend: async world => {
    const agent = await resumed(world);
    const acked = await ackedOf(agent);
    asked(world.call('vm.suspend', { vmId: world.vmId }));
    const isStillIn = (): boolean => world.state.phase === 'suspending';
    await seen(isStillIn, () => hasEnded(world, 'vm.suspend'));
    return { acked, qemuPid: world.state.pid, isStillIn, delayMs: 400 };
  },

  delete: async world => {
    const agent = await resumed(world);
    const acked = await ackedOf(agent);
    await world.ebb.stopVm(world.vmId);
    asked(world.call('vm.delete', { vmId: world.vmId }));
    const isStillIn = (): boolean => taskOf(world, 'vm.delete')?.state === 'running';
    await seen(isStillIn, () => hasEnded(world, 'vm.delete'));
    return { acked, qemuPid: null, isStillIn, delayMs: 30 };
  },
};
