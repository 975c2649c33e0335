// Sequences of calls, policies, edits and time, from a seed.
import { MIB, uuid } from '../../support/memory-world.ts';
import { Seeded } from '../../support/seeded.ts';
import { type AccessSwitchOff, AccessWorld, NO_RULES, type Rules, VMS } from './world.ts';

export interface Life {
  readonly violations: readonly string[];
  readonly refused: number;
  readonly accepted: number;
}

type Pick = (least: number, most: number) => number;

function picker(seed: number): Pick {
  const random = new Seeded(seed);
  return (least, most) => least + random.below(most - least + 1);
}

function rulesFrom(pick: Pick): Rules {
  const pair = (low: readonly [number, number], more: number): [number, number] => {
    const first = pick(...low);
    return [first, first + pick(0, more)];
  };
  const maybe = <T>(make: () => T): T | null => (pick(0, 1) === 0 ? null : make());
  return {
    vmMax: maybe(() => pick(256, 3000)),
    vmMin: maybe(() => pair([64, 300], 600)),
    weight: maybe(() => pair([1, 150], 300)),
    reserve: maybe(() => pair([1024, 8000], 4000)),
    budget: maybe(() => pick(4000, 16_000)),
    canOptOut: pick(0, 2) > 0,
    canChange: pick(0, 3) > 0,
  };
}

const RANGE_CALLS = [
  'memory.set-range',
  'memory.try-range',
  'memory.undo-range',
  'memory.keep-range',
  'memory.set-balance',
] as const;

async function callSomething(world: AccessWorld, pick: Pick): Promise<string> {
  const vmId = uuid(pick(1, VMS.length));
  if (pick(0, 3) === 0) {
    const change = [
      { reserveKib: pick(0, 16_000) * MIB },
      { budgetKib: pick(0, 2) === 0 ? null : pick(64, 40_000) * MIB },
      { capKib: pick(0, 2) === 0 ? null : pick(64, 8000) * MIB },
      { mode: pick(0, 1) === 0 ? 'demand' : 'proportional' },
    ][pick(0, 3)];
    await world.call('memory.set-policy', change);
    return `set-policy ${JSON.stringify(change)}`;
  }
  const method = RANGE_CALLS[pick(0, RANGE_CALLS.length - 1)] ?? 'memory.set-range';
  const minKib = pick(32, 2500) * MIB;
  const params = {
    vmId,
    minKib,
    maxKib: minKib + pick(0, 4000) * MIB,
    seconds: pick(5, 60),
    balanced: pick(0, 1) === 0,
    weight: pick(1, 1000),
  };
  const wasAllowed = world.rules.canChange;
  if ((await world.call(method, params)) && !wasAllowed)
    world.say(`${method} was done where nobody may change memory`);
  return `${method} ${JSON.stringify(params)}`;
}

function editSomething(world: AccessWorld, pick: Pick): string {
  const vmId = uuid(pick(1, VMS.length));
  world.edit(db => {
    const row = db.prepare<[string], { body: string }>('SELECT body FROM vm WHERE id = ?').get(vmId);
    const spec = {
      ...JSON.parse(row?.body ?? '{}'),
      maxKib: pick(64, 30_000) * MIB,
      minKib: 64 * MIB,
      weight: pick(1, 10_000),
      balanced: pick(0, 1) === 0,
    };
    db.prepare('UPDATE vm SET body = ? WHERE id = ?').run(JSON.stringify(spec), vmId);
    world.catalog.put(spec);
    const settings = JSON.stringify({ capKib: pick(64, 60_000) * MIB, reserveKib: pick(0, 20_000) * MIB });
    db.prepare("INSERT OR REPLACE INTO setting VALUES ('memory-policy', ?)").run(settings);
  });
  return 'an edit of the database';
}

export async function runLife(
  seed: number,
  steps: number,
  off: AccessSwitchOff | null = null,
): Promise<Life> {
  const pick = picker(seed);
  const world = new AccessWorld(off);
  await world.start();
  for (let step = 0; step < steps; step++) {
    const what = pick(0, 9);
    let did = 'time';
    if (what < 6) did = await callSomething(world, pick);
    else if (what < 8) {
      world.put(pick(0, 4) === 0 ? NO_RULES : rulesFrom(pick));
      did = 'another policy';
    } else if (what === 8) did = editSomething(world, pick);
    else await world.world.run(pick(1, 10) * 1000);
    world.check(`seed ${seed}, step ${step}, ${did}`);
  }
  await world.settle();
  world.checkGuests(`seed ${seed}, at the end`);
  const { violations, refused, accepted } = world;
  return { violations, refused, accepted };
}
