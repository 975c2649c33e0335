// `npm run -s guest -- kills [--seed S] [--kills N] [--hosts M] [--quick] [--json]`: SIGKILL of storage at chosen instants
// under a guest that writes, flushes and checks itself, every other time after a take: at any instant, or as far into the
// reversal as chance says (T3, T11); then of QEMU, storage and control together (hosts.ts).
import type { VmId } from '../../../shared/ids.ts';
import { type Agent, type Ebb, pause, waitFor } from '../../support/ebb.ts';
import { startFromFixtures } from '../../support/fixtures.ts';
import type { SimOutcome, SuiteOptions } from '../../support/report.ts';
import { setup } from '../../support/run-folder.ts';
import { Seeded } from '../../support/seeded.ts';
import { killHost } from './hosts.ts';

const KILLS = 500;
const KILLS_QUICK = 30;
const HOSTS = 200;
const HOSTS_QUICK = 5;
const DEV = '/dev/vda';
const MIB = 2 ** 20;
const SPAN = 128 * MIB;
const WRITER = { dev: DEV, offset: 192 * MIB, slots: 256, pauseMs: 1 };
/** A pause at most this long before a kill. */
const DELAY_MS = 300;
/** The oldest go first, as a person's clean-up would: no more than these stay. */
const MOMENTS_KEPT = 6;

interface Run {
  readonly ebb: Ebb;
  readonly vmId: VmId;
  readonly agent: Agent;
  readonly random: Seeded;
  /** What the guest read of the span when it was taken. */
  readonly recorded: Map<string, string>;
}

const hash = async (agent: Agent): Promise<string> =>
  (await agent.call('hash', { dev: DEV, offset: 0, length: SPAN, algorithm: 'units' })).units ?? '';

async function takeAfterWriting({ ebb, vmId, agent, random, recorded }: Run): Promise<void> {
  const bytes = (4 + random.below(16)) * MIB;
  await agent.call('scatter', { dev: DEV, offset: 0, span: SPAN, bytes, seed: random.below(2 ** 30) });
  const content = await hash(agent);
  const taken = await ebb.call('moment.take', { vmId, name: `before kill`, note: '' });
  recorded.set(taken.id, content);
}

/** Until this part of an edge is copied; or at rest, where a fast machine was done before anybody looked. */
async function partTurned({ ebb, vmId }: Run, part: number): Promise<void> {
  for (;;) {
    const { reversal, state } = (await ebb.call('timeline.get', { vmId })).settle;
    if (reversal === null ? state === 'rest' : reversal.blocksDone >= part * reversal.blocksTotal) return;
  }
}

async function dropOldest({ ebb, vmId, recorded }: Run): Promise<void> {
  await ebb.settled(vmId);
  const { moments } = await ebb.call('timeline.get', { vmId });
  if (moments.length <= MOMENTS_KEPT) return;
  const oldest = moments.find(moment => moment.freesBytes !== null);
  if (oldest === undefined) return;
  await ebb.call('moment.delete', { vmId, momentId: oldest.id });
  await ebb.call('trash.purge', { vmId });
  recorded.delete(oldest.id);
}

/** The writer goes on; nothing it was told is on the disk is missing. */
async function check(run: Run, index: number): Promise<string | null> {
  const { agent, ebb, vmId } = run;
  const { acked } = await agent.call('writer-report');
  await waitFor(
    'the writer to go on',
    async () => Number((await agent.call('writer-report')).acked) > Number(acked) || null,
  );
  const { phase, detail } = await ebb.state(vmId);
  if (phase !== 'running') return `kill ${index}: the VM is ${phase}: ${detail}`;
  await agent.call('writer-stop');
  const { bad } = await agent.call('writer-verify');
  await agent.call('writer-start', WRITER);
  return bad === '0' ? null : `kill ${index}: ${bad} of the writer's records are older than acknowledged`;
}

async function checkPoints({ ebb, vmId, recorded }: Run): Promise<string[]> {
  await ebb.settled(vmId);
  const wrong: string[] = [];
  const { moments } = await ebb.call('timeline.get', { vmId });
  for (const [id, expected] of recorded) {
    const point = moments.find(moment => moment.id === id)?.points[0];
    if (point === undefined) {
      wrong.push(`point ${id} is gone`);
      continue;
    }
    const found = await ebb.hashPoint(vmId, point.diskId, point.pointId, SPAN);
    if (found !== expected) wrong.push(`point ${point.pointId} is ${found}, recorded ${expected}`);
  }
  return wrong;
}

export async function run({ seed, quick, options, say }: SuiteOptions): Promise<SimOutcome> {
  const kills = Number(options.kills ?? (quick ? KILLS_QUICK : KILLS));
  const hosts = Number(options.hosts ?? (quick ? HOSTS_QUICK : HOSTS));
  const random = new Seeded(seed);
  const end = setup();
  try {
    const violations = kills > 0 ? await killStorage(random, kills, say) : [];
    violations.push(...(await killHosts(random, hosts, say)));
    return { runs: kills + hosts, violations, switchOffs: [] };
  } finally {
    end();
  }
}

async function killHosts(random: Seeded, hosts: number, say: SuiteOptions['say']): Promise<string[]> {
  const violations: string[] = [];
  for (let index = 1; index <= hosts; index++) {
    const { acked, wrong } = await killHost(random, index);
    if (wrong !== null) violations.push(wrong);
    say(`host kills: ${violations.length} wrong of ${index} (${acked} records acknowledged before the last)`);
  }
  return violations;
}

/** One guest that writes all the while; answers what is wrong. */
export async function killStorage(
  random: Seeded,
  kills: number,
  say: SuiteOptions['say'],
): Promise<string[]> {
  const ebb = await startFromFixtures();
  const violations: string[] = [];
  try {
    const { vmId } = await ebb.vmNamed('alpha');
    const agent = await ebb.startVm(vmId);
    const all: Run = { ebb, vmId, agent, random, recorded: new Map() };
    await agent.call('writer-start', WRITER);
    let turned = 0;
    for (let index = 1; index <= kills; index++) {
      if (index % 2 === 0) await takeAfterWriting(all);
      if (index % 4 === 2) await partTurned(all, random.below(1000) / 1000);
      else await pause(random.below(DELAY_MS));
      if ((await ebb.call('timeline.get', { vmId })).settle.reversal !== null) turned++;
      process.kill(await ebb.storagePid(), 'SIGKILL');
      const wrong = await check(all, index);
      if (wrong !== null) violations.push(wrong);
      if (index % 8 === 0) await dropOldest(all);
      if (index % 10 === 0 || index === kills)
        say(`kills: ${violations.length} wrong of ${index}, ${turned} while an edge was turned`);
    }
    if (turned === 0) violations.push(`none of ${kills} kills fell into a reversal`);
    violations.push(...(await checkPoints(all)));
  } finally {
    await ebb.dispose();
  }
  return violations;
}
