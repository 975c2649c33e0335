// What may be done to a VM of a soak, in which phases, and how what is known of it changes by that.
import type { MomentId } from '../../../shared/ids.ts';
import { Fault } from '../../../shared/result.ts';
import type { VmPhase } from '../../../shared/vm.ts';
import type { Agent } from '../../support/ebb.ts';
import { hashServed } from '../../support/served-hash.ts';
import { DEV, type Fleet, type Machine, MIB, SPAN, WRITER } from './fleet.ts';

const BYTES_PER_MIB = 2 ** 20;
const MOMENTS_MAX = 6;

export interface Operation {
  readonly weight: number;
  readonly phases: readonly VmPhase[];
  /** Of points that are there: at least, and at most. */
  readonly points?: readonly [number, number];
  readonly run: (fleet: Fleet, machine: Machine) => Promise<void>;
}

export const hashInside = async (agent: Agent): Promise<string> =>
  (await agent.call('hash', { dev: DEV, offset: 0, length: SPAN, algorithm: 'units' })).units ?? '';

const agentOf = ({ agent, name }: Machine): Agent => {
  if (agent === null) throw new Error(`${name} has no agent`);
  return agent;
};

const finished = async ({ ebb }: Fleet, work: Promise<{ readonly taskId: string }>): Promise<void> => {
  await ebb.done((await work).taskId);
};

function expectSame(what: string, found: string, wanted: string): void {
  if (found !== wanted) throw new Error(`${what} is ${found}, recorded ${wanted}`);
}

/** One that was not there: a guest that has booted writes from then on. */
async function up({ ebb }: Fleet, machine: Machine): Promise<void> {
  machine.agent?.close();
  machine.agent = await ebb.agent(machine.vmId);
  await machine.agent.call('writer-start', WRITER).catch((cause: Error) => {
    if (!cause.message.includes('a writer runs')) throw cause;
  });
}

function down(machine: Machine): void {
  machine.agent?.close();
  machine.agent = null;
}

async function checkWriter(machine: Machine): Promise<void> {
  const agent = agentOf(machine);
  await agent.call('writer-stop');
  const { bad, acked } = await agent.call('writer-verify');
  await agent.call('writer-start', WRITER);
  if (bad !== '0') throw new Error(`${bad} of ${acked} records are older than the guest was told`);
}

async function take(fleet: Fleet, machine: Machine, hasMemory = false): Promise<void> {
  const { ebb } = fleet;
  const { vmId, recorded } = machine;
  const name = fleet.nextName('point');
  const isRunning = (await fleet.phase(machine)) === 'running';
  const inside = isRunning ? await hashInside(agentOf(machine)) : null;
  if (hasMemory) await finished(fleet, ebb.call('moment.take-with-memory', { vmId, name, note: '' }));
  else await ebb.call('moment.take', { vmId, name, note: '' });
  const { moments } = await ebb.call('timeline.get', { vmId });
  const taken = moments.find(moment => moment.name === name);
  if (taken === undefined) throw new Error(`${name} was taken and is not there`);
  const hash = await hashServed(ebb, vmId, taken.id, SPAN);
  if (inside !== null) expectSame(name, hash, inside);
  recorded.set(taken.id, { name, hash, hasMemory: taken.extras?.consistency === 'memory' });
}

const somePoint = ({ random }: Fleet, { recorded }: Machine): MomentId => random.pick([...recorded.keys()]);

async function goBack(fleet: Fleet, machine: Machine): Promise<void> {
  const { ebb } = fleet;
  const { vmId, recorded } = machine;
  const momentId = somePoint(fleet, machine);
  const wasOff = (await fleet.phase(machine)) === 'off';
  down(machine);
  await finished(fleet, ebb.call('moment.go-back', { vmId, momentId, ifRunning: 'force' }));
  const { hasMemory = false, name = '', hash = '' } = recorded.get(momentId) ?? {};
  const { moments } = await ebb.call('timeline.get', { vmId });
  for (const { id, name: other } of moments)
    if (!recorded.has(id))
      recorded.set(id, { name: other, hash: await hashServed(ebb, vmId, id, SPAN), hasMemory: false });
  if (wasOff && !hasMemory) return;
  await up(fleet, machine);
  expectSame(`Now after going back to ${name}`, await hashInside(agentOf(machine)), hash);
}

async function remove(fleet: Fleet, machine: Machine): Promise<void> {
  const { ebb, random } = fleet;
  const { vmId, recorded } = machine;
  const momentId = somePoint(fleet, machine);
  await ebb.call('moment.delete', { vmId, momentId });
  if (random.below(3) === 0) {
    await ebb.call('moment.restore', { vmId, momentId });
    return;
  }
  await ebb.call('trash.purge', { vmId, momentId });
  recorded.delete(momentId);
}

async function clone(fleet: Fleet, machine: Machine): Promise<void> {
  const { ebb } = fleet;
  const momentId = somePoint(fleet, machine);
  const name = fleet.nextName('copy');
  const made = await ebb.call('vm.clone', { vmId: machine.vmId, momentId, name });
  await ebb.done(made.taskId);
  const { moments } = await ebb.call('timeline.get', { vmId: made.vmId });
  const [only] = moments;
  if (only === undefined || moments.length !== 1) throw new Error(`${name} has ${moments.length} points`);
  const hash = await hashServed(ebb, made.vmId, only.id, SPAN);
  expectSame(`${name} of ${machine.name}`, hash, machine.recorded.get(momentId)?.hash ?? '');
  await finished(fleet, ebb.call('vm.delete', { vmId: made.vmId }));
}

async function start(fleet: Fleet, machine: Machine): Promise<void> {
  await finished(fleet, fleet.ebb.call('vm.start', { vmId: machine.vmId }));
  await up(fleet, machine);
}

async function stop(fleet: Fleet, machine: Machine): Promise<void> {
  const { ebb, random } = fleet;
  await checkWriter(machine);
  await ebb.stopVm(machine.vmId, random.pick(['shutdown', 'force'] as const));
  down(machine);
}

async function suspend(fleet: Fleet, { vmId, ...machine }: Machine): Promise<void> {
  machine.agent?.close();
  await finished(fleet, fleet.ebb.call('vm.suspend', { vmId }));
}

async function changeRange({ ebb, random }: Fleet, { vmId }: Machine): Promise<void> {
  const minMib = 96 + 8 * random.below(6);
  const maxMib = minMib + 16 + 8 * random.below(8);
  await ebb.call('memory.set-range', { vmId, minKib: minMib * MIB, maxKib: maxMib * MIB });
}

async function verify(fleet: Fleet, { vmId, name }: Machine): Promise<void> {
  await finished(fleet, fleet.ebb.call('vm.verify', { vmId }));
  const { report } = await fleet.ebb.call('vm.verify-report', { vmId });
  if (report?.state !== 'done' || report.damages.length > 0)
    throw new Error(`checking ${name}: ${JSON.stringify(report)}`);
}

const write = async ({ random }: Fleet, machine: Machine): Promise<void> => {
  const bytes = (1 + random.below(4)) * BYTES_PER_MIB;
  const where = { dev: DEV, offset: 0, span: SPAN };
  await agentOf(machine).call('scatter', { ...where, bytes, seed: random.below(2 ** 30) });
};

const ALL = ['off', 'running', 'paused', 'suspended'] as const;
const SOME: readonly [number, number] = [1, Number.POSITIVE_INFINITY];

export const OPERATIONS: Readonly<Record<string, Operation>> = {
  start: { weight: 12, phases: ['off', 'suspended', 'failed'], run: start },
  stop: { weight: 2, phases: ['running'], run: stop },
  suspend: { weight: 4, phases: ['running', 'paused'], run: suspend },
  pause: {
    weight: 2,
    phases: ['running'],
    run: async ({ ebb }, { vmId }) => void (await ebb.call('vm.pause', { vmId })),
  },
  resume: {
    weight: 12,
    phases: ['paused'],
    run: async ({ ebb }, { vmId }) => void (await ebb.call('vm.resume', { vmId })),
  },
  write: { weight: 10, phases: ['running'], run: write },
  'check the writer': { weight: 3, phases: ['running'], run: (_, machine) => checkWriter(machine) },
  take: { weight: 8, phases: ALL, points: [0, MOMENTS_MAX], run: take },
  'take with memory': {
    weight: 2,
    phases: ['running'],
    points: [0, MOMENTS_MAX],
    run: (fleet, machine) => take(fleet, machine, true),
  },
  'go back': { weight: 4, phases: ['off', 'running'], points: SOME, run: goBack },
  'delete a point': { weight: 6, phases: ALL, points: SOME, run: remove },
  'change the range': { weight: 5, phases: ALL, run: changeRange },
  clone: { weight: 2, phases: ALL, points: SOME, run: clone },
  compact: {
    weight: 2,
    phases: ALL,
    run: (fleet, { vmId }) => finished(fleet, fleet.ebb.call('vm.compact', { vmId })),
  },
  verify: { weight: 2, phases: ALL, run: verify },
};

/** Nothing else may be refused: what does not fit (M6) is said so, and nothing is lost. */
export const isRefusal = (cause: unknown): boolean =>
  cause instanceof Fault && ['memory.not-enough', 'memory.over-host'].includes(cause.body.code);

/** By weight, of those that may be done. */
export async function chooseOperation(fleet: Fleet, machine: Machine): Promise<readonly [string, Operation]> {
  const phase = await fleet.phase(machine);
  const count = machine.recorded.size;
  const may = Object.entries(OPERATIONS).filter(
    ([, { phases, points: [least, most] = [0, Number.POSITIVE_INFINITY] }]) =>
      phases.includes(phase) && count >= least && count <= most,
  );
  let at = fleet.random.below(may.reduce((sum, [, { weight }]) => sum + weight, 0));
  const chosen = may.find(([, { weight }]) => {
    at -= weight;
    return at < 0;
  });
  if (chosen === undefined) throw new Error(`nothing may be done to ${machine.name}, which is ${phase}`);
  return chosen;
}
