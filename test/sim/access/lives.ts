// Sequences of calls, policies, edits and time, from a seed.
import { ROLES } from '../../../shared/roles.ts';
import { contract } from '../../../shared/rpc/contract.ts';
import { MIB, uuid } from '../../support/memory-world.ts';
import { Seeded } from '../../support/seeded.ts';
import { METHODS, type Person } from './people.ts';
import { type AccessSwitchOff, AccessWorld, NO_RULES, type Rules, VMS } from './world.ts';

/** A link's are one name's, of whose sessions the sixteenth makes room. */
const PEOPLE_MAX = 12;

export interface Life {
  readonly violations: readonly string[];
  readonly refused: number;
  readonly accepted: number;
  /** Calls over the wire by those who came from elsewhere. */
  readonly tried: number;
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
    canBrowse: pick(0, 3) > 0,
  };
}

const RANGE_CALLS = [
  'memory.set-range',
  'memory.try-range',
  'memory.undo-range',
  'memory.keep-range',
  'memory.set-balance',
] as const;

/** Whoever is at this computer, or one of those who came, gone or not. */
const somebody = (world: AccessWorld, pick: Pick): Person | null =>
  world.people.all[pick(0, 2 * world.people.all.length)] ?? null;

/** With a token, new or known, or a link; which may be revoked before, and said again after. */
async function somebodyComes(world: AccessWorld, pick: Pick): Promise<string> {
  const { people } = world;
  if (people.all.length >= PEOPLE_MAX) return 'nobody came';
  const role = ROLES[pick(0, ROLES.length - 1)] ?? 'view';
  const known = people.tokens[pick(0, 2 * people.tokens.length)];
  const name = pick(0, 2) === 0 ? null : `token ${people.tokens.length}`;
  const token = known ?? people.token(role, name, pick(1, 60) * 1000);
  if (known === undefined && pick(0, 5) === 0) people.revoke(token);
  await people.come(token);
  return `${token.name ?? 'a link'} came`;
}

function somebodyGoes({ people }: AccessWorld, pick: Pick): string {
  const here = people.all.filter(person => people.mayBeHere(person));
  const person = here[pick(0, here.length)];
  if (person === undefined) return 'nobody went';
  if (person.token.name === null || pick(0, 1) === 0) people.end(person);
  else people.revoke(person.token);
  return `${person.token.name ?? 'a link'} was sent away`;
}

async function somebodyTries(world: AccessWorld, pick: Pick): Promise<string> {
  const person = world.people.all[pick(0, world.people.all.length)];
  const method = METHODS[pick(0, METHODS.length - 1)];
  if (person === undefined || method === undefined) return 'nobody tried';
  await world.people.tries(person, method);
  return `${person.token.name ?? 'a link'} tried ${method}`;
}

/** Each method as each role, by a token with a name and by a link; how many cells. */
export async function runMatrix(): Promise<{
  readonly cells: number;
  readonly violations: readonly string[];
}> {
  const { people, violations } = new AccessWorld(1);
  for (const role of ROLES)
    for (const name of [`token to ${role}`, null]) {
      const person = await people.come(people.token(role, name, 1000));
      for (const method of METHODS) if (person !== null) await people.tries(person, method);
    }
  return { cells: people.tried, violations };
}

async function callSomething(world: AccessWorld, pick: Pick): Promise<string> {
  const vmId = uuid(pick(1, VMS.length));
  if (pick(0, 3) === 0) {
    const change = [
      { reserveKib: pick(0, 16_000) * MIB },
      { budgetKib: pick(0, 2) === 0 ? null : pick(64, 40_000) * MIB },
      { capKib: pick(0, 2) === 0 ? null : pick(64, 8000) * MIB },
      { mode: pick(0, 1) === 0 ? 'demand' : 'proportional' },
    ][pick(0, 3)];
    await world.call('memory.set-policy', change, somebody(world, pick));
    return `set-policy ${JSON.stringify(change)}`;
  }
  const method = RANGE_CALLS[pick(0, RANGE_CALLS.length - 1)] ?? 'memory.set-range';
  const minKib = pick(32, 2500) * MIB;
  const all = {
    vmId,
    minKib,
    maxKib: minKib + pick(0, 4000) * MIB,
    seconds: pick(5, 60),
    balanced: pick(0, 1) === 0,
    weight: pick(1, 1000),
  };
  const { shape } = contract.methods[method].params;
  const params = Object.fromEntries(Object.entries(all).filter(([key]) => key in shape));
  const wasAllowed = world.rules.canChange;
  if ((await world.call(method, params, somebody(world, pick))) && !wasAllowed)
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
  const world = new AccessWorld(seed, off);
  await world.start();
  for (let step = 0; step < steps; step++) {
    const what = pick(0, 14);
    let did = 'time';
    if (what < 6) did = await callSomething(world, pick);
    else if (what < 8) {
      world.put(pick(0, 4) === 0 ? NO_RULES : rulesFrom(pick));
      did = 'another policy';
    } else if (what === 8) did = editSomething(world, pick);
    else if (what === 9) {
      await world.world.run(pick(1, 10) * 1000);
      world.people.sweep();
    } else if (what < 12) did = await somebodyComes(world, pick);
    else if (what < 14) did = await somebodyTries(world, pick);
    else did = somebodyGoes(world, pick);
    world.check(`seed ${seed}, step ${step}, ${did}`);
  }
  await world.settle();
  world.checkGuests(`seed ${seed}, at the end`);
  const { violations, refused, accepted, people } = world;
  return { violations, refused, accepted, tried: people.tried };
}
