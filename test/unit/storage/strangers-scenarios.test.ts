// After each thing that can be done to a disk with a history, whole and with a power cut in the middle, programs that share
// nothing with us read every point as the oracle knows it.
import { createHash } from 'node:crypto';
import { expect, it, vi } from 'vitest';
import type { PointId } from '../../../shared/ids.ts';
import { SCENARIOS, type Scenario } from '../../sim/matrix/scenarios.ts';
import { Calls, fatesOf, type Strike } from '../../sim/programs/calls.ts';
import { Life } from '../../sim/programs/life.ts';
import { withFiles } from '../../sim/storage/as-files.ts';
import { Seeded } from '../../support/seeded.ts';
import { expectStrangersAgree, type KnownPoint } from '../../support/strangers.ts';

const SEED = 8;
// Strangers are programs, started once a point: on a loaded machine that takes seconds. This only ends a hang.
vi.setConfig({ testTimeout: 300_000 });

async function live(
  { before, counted, host }: Scenario,
  strikes: readonly Strike[],
): Promise<Life & { calls: Calls }> {
  const calls = new Calls(strikes);
  const life = new Life(SEED, {}, calls, host);
  const operations = [...before, ...(counted ?? [])];
  await life.run({ operations }, counted === null ? -1 : before.length);
  return Object.assign(life, { calls });
}

const sha256 = (bytes: Uint8Array): string => createHash('sha256').update(bytes).digest('hex');

/** They read a disk whose points are all of one size: of others what fits. Answers how many points were read. */
async function expectRead({ machine, oracle }: Life): Promise<number> {
  let read = 0;
  for (const { id: diskId, virtualBytes } of machine.world.store.rows('disk')) {
    const points = machine.world.store.rows('point').filter(point => point.diskId === diskId);
    if (points.length === 0 || points.some(point => (point.virtualBytes ?? virtualBytes) !== virtualBytes))
      continue;
    const known = new Map<PointId, KnownPoint>();
    for (const { id: pointId, momentId } of points) {
      const bytes = momentId === null ? undefined : oracle.moments.get(momentId)?.content.get(diskId);
      if (bytes !== undefined) known.set(pointId, { pointId, sha256: sha256(bytes) });
    }
    const root = points.find(({ parent }) => parent === null);
    const strangers = { hasTinyBlocks: true, isRootNobodys: root === undefined || !known.has(root.id) };
    await withFiles(machine.world.folder(diskId), path =>
      expectStrangersAgree(path, [...known.values()], strangers),
    );
    read += known.size;
  }
  return read;
}

const bare = SCENARIOS.filter(({ host }) => !host.canClone);
/** The cut falls on a host that shares and punches, where there is anything to. */
const sharing = ({ name }: Scenario): Scenario | undefined =>
  SCENARIOS.find(row => row.name === `${name}, shared`);

it.each(bare.map(scenario => [scenario.name, scenario] as const))('T4, T12, T16: %s', async (_, scenario) => {
  let read = await expectRead(await live(scenario, []));
  const same = sharing(scenario) ?? scenario;
  const { lives } = (await live(same, [])).calls;
  const calls = lives.flatMap((names, life) => names.map((name, call) => ({ life, call, name })));
  const { name, ...place } = new Seeded(SEED).pick(
    calls.filter(({ name }) => fatesOf(name).includes('power')),
  );
  const cut = await live(same, [{ ...place, fate: 'power' }]);
  expect(cut.calls.isSpent).toBe(true);
  read += await expectRead(cut);
  console.info(`${same.name}: ${read} points, also after a power cut at ${name}`);
});
