// One cell: a VM of its own is brought into the state, the part is killed while it is in it, what people would start
// again is started again, and what is found is checked.
import { Fault } from '../../../shared/result.ts';
import { pause, waitFor } from '../../support/ebb.ts';
import { Seeded } from '../../support/seeded.ts';
import { check, type Verdict } from './check.ts';
import { REACH, type Reached } from './states.ts';
import { type Expected, isVoid, type Part, type State, TABLE } from './table.ts';
import { type Saved, World } from './world.ts';

/** A state may end before the kill: that was no kill in it, and is tried again, each time with less delay. */
const TRIES = 8;

export interface CellRow {
  readonly part: Part;
  readonly state: State;
  readonly expected: string;
  readonly found: string;
  /** States that had ended before the kill; null: none fell into it. */
  readonly missed: number;
  readonly wrong: string;
}

export interface CellName {
  readonly part: Part;
  readonly state: State;
}

/** Found before the state is reached: looking takes time. */
async function victims({ ebb, shell, page }: World, part: Part): Promise<(reached: Reached) => number[]> {
  const [control, storage] = [ebb.controlPid(), await ebb.storagePid()];
  switch (part) {
    case 'renderer':
      return () => [page?.pid ?? 0];
    case 'shell':
      return () => [shell?.pid ?? 0];
    case 'control':
      return () => [control];
    case 'storage':
      return () => [storage];
    case 'QEMU':
      return ({ qemuPid }) => [qemuPid ?? 0];
    case 'host':
      return ({ qemuPid }) => [...(qemuPid === null ? [] : [qemuPid]), storage, control];
  }
}

async function startAgain(world: World, part: Part, pids: readonly number[]): Promise<void> {
  const { ebb } = world;
  if (part === 'QEMU')
    await waitFor('control to hear of it', async () => (await world.found())?.pid !== pids[0]);
  if (part === 'control' || part === 'host') await ebb.rejoin(pids.at(-1) ?? 0);
  if (part === 'storage')
    await waitFor('another storage', async () => {
      const pid = await ebb.storagePid().catch((cause: unknown) => {
        if (cause instanceof Fault) return null;
        throw cause;
      });
      return pid !== null && pid !== pids[0];
    });
  if (part === 'renderer' || part === 'shell') {
    await world.page?.end();
    if (part === 'shell') {
      await world.shell?.end();
      world.shell = null;
    }
    await world.openPage();
  }
}

/** Null: the state had ended before the kill. */
async function tryCell(
  saved: Saved,
  { part, state }: CellName,
  expected: Expected,
  random: Seeded,
  attempt: number,
): Promise<Verdict | null> {
  const world = await World.open(saved, part, random);
  try {
    const pidsAt = await victims(world, part);
    const reached = await REACH[state](world);
    await pause(random.below(1 + reached.delayMs / attempt));
    if (!reached.isStillIn()) return null;
    const pids = pidsAt(reached);
    if (pids.length === 0 || pids.includes(0)) throw new Error(`nothing to kill: ${part}`);
    for (const pid of pids) process.kill(pid, 'SIGKILL');
    await startAgain(world, part, pids);
    const verdict = await check(world, state, expected, reached);
    const shown = world.page === null ? [] : await checkPage(world);
    return { ...verdict, wrong: [...verdict.wrong, ...shown] };
  } finally {
    await world.dispose();
  }
}

/** The page that was opened again shows the same as everybody else is told. */
async function checkPage({ page, ebb }: World): Promise<string[]> {
  const [shown, told] = await Promise.all([page?.call('vm.list', {}), ebb.call('vm.list', {})]);
  return JSON.stringify(shown) === JSON.stringify(told) ? [] : ['the page that was opened again differs'];
}

export async function runCell(saved: Saved, cell: CellName, seed: number): Promise<CellRow> {
  const { part, state } = cell;
  const expected = TABLE[part][state];
  if (isVoid(expected)) throw new Error(`${part} × ${state}: nothing to kill: ${expected.nothing}`);
  const random = new Seeded(seed);
  const row = { part, state, expected: expected.text };
  for (let attempt = 1; attempt <= TRIES; attempt++) {
    const verdict = await tryCell(saved, cell, expected, random, attempt);
    if (verdict !== null)
      return { ...row, found: verdict.found, missed: attempt - 1, wrong: verdict.wrong.join('; ') };
  }
  return { ...row, found: '', missed: TRIES, wrong: `no kill fell into it in ${TRIES} tries` };
}
