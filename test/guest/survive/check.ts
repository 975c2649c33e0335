// How the VM was found after a kill, against what the table says; and that nothing of it is lost, read by 7-Zip.
import { execFileSync } from 'node:child_process';
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Timeline } from '../../../shared/timeline.ts';
import { type Agent, type Ebb, waitFor } from '../../support/ebb.ts';
import { atLast, isQemu, processesOf, servedSockets } from '../../support/left-lying.ts';
import { recordsMissing } from '../../support/records.ts';
import { storageFixture } from '../../support/storage-process.ts';
import { UnitsHash } from '../../support/units-hash.ts';
import { type Reached, TAKEN } from './states.ts';
import type { Expected, State } from './table.ts';
import { MARK, SPAN, type World, WRITER } from './world.ts';

const MIB = 2 ** 20;
const AFTER = 'after';
/** States in which the guest's writer writes. */
const WRITES: readonly State[] = ['running', 'take', 'reversal', 'suspend'];

export interface Verdict {
  readonly found: string;
  readonly wrong: readonly string[];
}

export async function check(
  world: World,
  state: State,
  expected: Expected,
  reached: Reached,
): Promise<Verdict> {
  const { state: after } = await world.atRest();
  const found = after?.phase ?? 'gone';
  const wrong: string[] = [];
  if (!expected.phases.includes(found)) wrong.push(`found ${found}: ${after?.detail ?? ''}`);
  if (after === null) return { found, wrong: [...wrong, ...(await checkTrash(world, expected, reached))] };
  if (found === 'failed' && after.error === null) wrong.push('failed without saying why');
  if (found === 'running' && expected.isSameQemu && after.pid !== reached.qemuPid)
    wrong.push(`QEMU is ${after.pid}, was ${reached.qemuPid}`);
  const isKept = isSaved(world);
  const shown = found === 'failed' && isKept ? 'failed, its memory kept' : found;
  if (found === 'running' || isKept) wrong.push(...(await checkGuest(world, state, found)));
  wrong.push(...(await checkLines(world)));
  wrong.push(...(await checkHistory(world, expected, reached)));
  return { found: shown, wrong };
}

/** Memory that the product says is there, and that its guest has not run with since. */
function isSaved({ home }: World): boolean {
  const path = join(home, 'suspended', 'record.json');
  return existsSync(path) && JSON.parse(readFileSync(path, 'utf8')).isResuming !== true;
}

/** The guest that runs, or resumes, is the one that was. */
async function checkGuest(world: World, state: State, found: string): Promise<string[]> {
  const { ebb, vmId } = world;
  const agent = found === 'running' ? (world.agent ?? (await ebb.agent(vmId))) : await ebb.startVm(vmId);
  const wrong: string[] = [];
  const { out = '' } = await agent.call('sh', { cmd: `cat ${MARK}` });
  if (out.trim() !== 'kept') wrong.push(`the guest's memory is not what it was: ${out}`);
  if (WRITES.includes(state)) wrong.push(...(await checkWriter(agent)));
  await ebb.stopVm(vmId);
  return wrong;
}

async function checkWriter(agent: Agent): Promise<string[]> {
  const { acked } = await agent.call('writer-report');
  await waitFor(
    'the writer to go on',
    async () => Number((await agent.call('writer-report')).acked) > Number(acked),
  );
  await agent.call('writer-stop');
  const { bad } = await agent.call('writer-verify');
  return bad === '0' ? [] : [`${bad} records are older than the guest was told`];
}

/** Only who runs has a QEMU; only who is served has a socket. */
const checkLines = ({ ebb, vmId }: World): Promise<string[]> =>
  atLast('what is over to be gone', async () => {
    const { pid } = await ebb.state(vmId);
    const strays = processesOf(ebb.paths).filter(row => isQemu(row) && row.pid !== pid);
    const sockets = pid === null ? servedSockets(ebb.paths).filter(path => path.includes('/vm-')) : [];
    return [
      ...strays.map(row => `QEMU ${row.pid} runs on`),
      ...sockets.map(path => `${path} is served for nobody`),
    ];
  });

/** Who can be asked for the history: control, or, of a VM that is in the trash, a storage that opens its folder there. */
interface Keeper {
  readonly folder: string;
  readonly timeline: () => Promise<Timeline>;
  readonly take: (name: string) => Promise<unknown>;
}

async function checkHistory(world: World, expected: Expected, { acked }: Reached): Promise<string[]> {
  const { ebb, vmId, home } = world;
  const keeper: Keeper = {
    folder: home,
    timeline: () => ebb.call('timeline.get', { vmId }),
    take: name => ebb.call('moment.take', { vmId, name, note: '' }),
  };
  return [...(await checkPoints(world, keeper, expected, acked)), ...(await checkWhole(ebb, world))];
}

/** At rest every point reads as it was recorded, and Now holds what the guest was told is on its disk. */
async function checkPoints(
  { diskId, recorded }: World,
  { folder, timeline, take }: Keeper,
  expected: Expected,
  acked: number,
): Promise<string[]> {
  const settled = (): Promise<Timeline> =>
    waitFor('the timeline to be at rest', async () => {
      const found = await timeline();
      return found.settle.state === 'rest' && found;
    });
  await settled();
  await take(AFTER);
  const { disks, moments } = await settled();
  const wrong = checkNames(
    recorded,
    moments.map(({ name }) => name),
    expected,
  );
  if (disks.some(({ depth }) => depth !== 1)) wrong.push('Now is not one VHD at rest');
  const roots = moments.filter(({ points }) => points[0]?.form === 'root').length;
  if (roots !== 1) wrong.push(`${roots} roots`);
  for (const { name, points } of moments) {
    const path = join(folder, 'disks', diskId, `${points[0]?.pointId}.vhd`);
    if (name === AFTER) wrong.push(...checkRecords(path, acked));
    const known = recorded.get(name);
    if (known === undefined) continue;
    const found = hashImage(path);
    if (found !== known) wrong.push(`point ${name} is ${found}, recorded ${known}`);
  }
  return wrong;
}

function checkNames(recorded: World['recorded'], names: readonly string[], { point }: Expected): string[] {
  const wrong: string[] = [];
  for (const name of recorded.keys()) {
    const count = names.filter(other => other === name).length;
    const mayLack = name === TAKEN && point === 'taken or not';
    if (count > 1 || (count === 0 && !mayLack)) wrong.push(`there are ${count} points ${name}`);
  }
  return wrong;
}

const read = (path: string): Buffer =>
  execFileSync('7z', ['x', '-tVHD', '-so', path], {
    maxBuffer: 512 * MIB,
    stdio: ['ignore', 'pipe', 'ignore'],
  });

function hashImage(path: string): string {
  const hash = new UnitsHash();
  hash.update(read(path).subarray(0, SPAN));
  return hash.digest();
}

function checkRecords(path: string, acked: number): string[] {
  const bad = recordsMissing(read(path), WRITER, acked);
  return bad === 0 ? [] : [`${bad} records of Now are older than acknowledged`];
}

async function checkWhole(ebb: Ebb, { vmId }: World): Promise<string[]> {
  await ebb.done((await ebb.call('vm.verify', { vmId })).taskId);
  const { report } = await ebb.call('vm.verify-report', { vmId });
  if (report?.state !== 'done') return [`checking it: ${report?.state}`];
  return report.damages.map(damage => `damage: ${JSON.stringify(damage)}`);
}

/** Gone from the list, whole in the trash: once, and nowhere else. */
async function checkTrash(world: World, expected: Expected, { acked }: Reached): Promise<string[]> {
  const { ebb, vmId, home } = world;
  const trash = join(ebb.paths.dataFolder, 'trash');
  const names = existsSync(trash) ? readdirSync(trash).filter(name => name.startsWith(vmId)) : [];
  if (names.length !== 1) return [`in the trash: ${names.join(', ') || 'nothing'}`];
  const folder = join(trash, names[0] ?? '');
  await using storage = storageFixture();
  const { client } = storage;
  await client.openVm(vmId, folder);
  const keeper: Keeper = {
    folder,
    timeline: () => client.call('timeline.get', { vmId }),
    take: name => client.call('moment.take', { vmId, name, note: '', kind: 'manual' }),
  };
  const wrong = await checkPoints(world, keeper, expected, acked);
  return existsSync(home) ? [...wrong, 'its folder is there as well'] : wrong;
}
