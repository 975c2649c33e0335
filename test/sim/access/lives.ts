// Lives of the simulated computer: calls, policies, edits and time, chosen by a seed.
import { openHistoryStore } from '../../../electron/control/history/store.ts';
import { DEFAULT_SCHEDULE, INTERVAL_MINUTES, type Schedule } from '../../../shared/history.ts';
import { ROLES } from '../../../shared/roles.ts';
import { contract } from '../../../shared/rpc/contract.ts';
import type { VmSpec } from '../../../shared/vm.ts';
import { MIB, uuid } from '../../support/memory-world.ts';
import { Seeded } from '../../support/seeded.ts';
import { METHODS, type Person } from './people.ts';
import { NO_RULES, type Pick, rulesFrom, wantedOutside } from './rules.ts';
import { type AccessSwitchOff, AccessWorld, VMS } from './world.ts';

/** All links count as one name, whose seventeenth session ends another: so fewer people come. */
const PEOPLE_MAX = 12;

export interface Life {
  readonly violations: readonly string[];
  readonly refused: number;
  readonly accepted: number;
  /** Calls over the wire by people from elsewhere. */
  readonly tried: number;
}

function picker(seed: number): Pick {
  const random = new Seeded(seed);
  return (least, most) => least + random.below(most - least + 1);
}

const RANGE_CALLS = [
  'memory.set-range',
  'memory.try-range',
  'memory.undo-range',
  'memory.keep-range',
  'memory.set-balance',
] as const;

/** The person at this computer (null), or one of those who came, gone or not. */
const somebody = (world: AccessWorld, pick: Pick): Person | null =>
  world.people.all[pick(0, 2 * world.people.all.length)] ?? null;

/** Comes by a token, new or known, or a link. A new one may be revoked first; a known one is used again. */
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

/** Calls each method as each role, by a named token and by a link. `cells`: how many calls. */
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

const NETWORKS = ['user', 'isolated', 'none'] as const;
const FORWARD = { protocol: 'tcp', hostPort: 2222, guestPort: 22 } as const;
const machineFrom = (pick: Pick) => ({
  cpus: pick(1, 64),
  network: NETWORKS[pick(0, 2)] ?? 'none',
  portForwards: pick(0, 1) === 0 ? [] : [FORWARD],
});
const scheduleFrom = (pick: Pick, before: Schedule): Schedule => ({
  ...before,
  isOn: pick(0, 1) === 0,
  everyMinutes: INTERVAL_MINUTES[pick(0, 7)] ?? 60,
  keep: { allHours: pick(1, 2000), days: pick(0, 366), weeks: pick(0, 60), months: pick(0, 24) },
  quotaBytes: pick(0, 1) === 0 ? null : pick(0, 40_000) * 2 ** 20,
});

/** Sets up a machine or its history, and reports what was done against a rule. */
async function setSomethingUp(world: AccessWorld, pick: Pick): Promise<string> {
  const vmId = uuid(pick(1, VMS.length));
  const by = somebody(world, pick);
  const { rules } = world;
  const machine = machineFrom(pick);
  switch (pick(0, 2)) {
    case 0: {
      if (await world.call('vm.configure', { vmId, change: machine }, by))
        for (const what of wantedOutside(machine, rules)) world.say(`vm.configure was done: ${what}`);
      return `vm.configure ${JSON.stringify(machine)}`;
    }
    case 1: {
      const schedule = scheduleFrom(pick, world.schedule(vmId));
      await world.call('history.set', { vmId, schedule }, by);
      return `history.set ${JSON.stringify(schedule)}`;
    }
    default: {
      const diskBytes = pick(16, 8000) * 2 ** 20;
      const memory = { minKib: 256 * MIB, maxKib: 256 * MIB };
      const rest = { balloon: true, group: '', notes: '', cloudInit: null };
      const source = { kind: 'empty', diskBytes } as const;
      const name = `vm${world.vmCount + 1}`;
      const wanted = {
        name,
        os: 'other',
        firmware: 'bios',
        hasTpm: false,
        ...memory,
        ...rest,
        ...machine,
        source,
      };
      if (await world.call('vm.create', wanted, by)) {
        const disks = [{ id: uuid(1), virtualBytes: diskBytes }] as unknown as VmSpec['disks'];
        const found = wantedOutside({ ...machine, disks }, rules);
        if (!rules.canCreate) found.push('nobody may');
        if (rules.count !== null && world.vmCount > rules.count) found.push(`there are ${world.vmCount}`);
        for (const what of found) world.say(`vm.create was done: ${what}`);
      }
      return `vm.create ${JSON.stringify(wanted)}`;
    }
  }
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
      ...machineFrom(pick),
    };
    const schedule = scheduleFrom(pick, DEFAULT_SCHEDULE);
    openHistoryStore(db).put(vmId, { schedule, last: null, lastDrop: null, settledAt: null, spared: [] });
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
    const what = pick(0, 17);
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
    else if (what < 17) did = await setSomethingUp(world, pick);
    else did = somebodyGoes(world, pick);
    world.check(`seed ${seed}, step ${step}, ${did}`);
  }
  await world.settle();
  world.checkGuests(`seed ${seed}, at the end`);
  const { violations, refused, accepted, people } = world;
  return { violations, refused, accepted, tried: people.tried };
}
