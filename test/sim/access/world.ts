// A small computer under IT policy: the real desk, guard, handlers, VMs, ranges and memory manager over
// simulated guests. Clients call whatever they like, policy files come and go, control dies and its database
// is edited by hand. After each step an oracle of its own, which reads the rules as they were written, says
// what is outside of them.
import type Database from 'better-sqlite3';
import { applyPolicy, setMemoryPolicy } from '../../../electron/control/compose/policy.ts';
import { Machines, type MachinesPorts } from '../../../electron/control/machines/machines.ts';
import { RangeDesk } from '../../../electron/control/memory/range-desk.ts';
import { openRangeStore } from '../../../electron/control/memory/range-store.ts';
import { PolicyDesk } from '../../../electron/control/policy/desk.ts';
import { CHECKS, guarded, wrapped } from '../../../electron/control/policy/guard.ts';
import { builtIn, userValues } from '../../../electron/control/policy/memory-rules.ts';
import { createService, type ServiceParts } from '../../../electron/control/service.ts';
import { type Catalog, openCatalog } from '../../../electron/control/store/catalog.ts';
import type { Schedule } from '../../../shared/history.ts';
import type { VmId } from '../../../shared/ids.ts';
import { Fault } from '../../../shared/result.ts';
import { type Contract, contract } from '../../../shared/rpc/contract.ts';
import type { Handlers } from '../../../shared/rpc/server.ts';
import { Topics } from '../../../shared/rpc/topics.ts';
import { FakeHost } from '../../support/fake-qemu.ts';
import { GIB, specOf, uuid, World } from '../../support/memory-world.ts';
import { foldersOf, policyText, unrestricted } from '../../support/policies.ts';
import { NO_DISKS, Parts } from './parts.ts';
import { METHODS, People, type Person } from './people.ts';
import { hostOutside, machineOutside, NO_RULES, type Rules, scheduleOutside, settingsOf } from './rules.ts';

/** `cut-off`: people who must go are not told. */
export const ACCESS_SWITCH_OFFS = ['guard', 'bound', 'role', 'cut-off'] as const;
export type AccessSwitchOff = (typeof ACCESS_SWITCH_OFFS)[number];

/** The methods that nobody may call where a policy forbids changing memory. */
const BY_CHANGE: readonly string[] = Object.keys(CHECKS).filter(
  method => /^memory\./.test(method) && method !== 'memory.free',
);
/** The methods that have Ebb's real handlers behind them. */
const REAL: readonly string[] = [
  ...BY_CHANGE,
  'memory.set-policy',
  'vm.create',
  'vm.configure',
  'history.set',
];

export const VMS = [1, 2, 3] as const;
/** By then the guests have given back what they must. */
const SETTLE_MS = 30_000;
const TOTAL_KIB = 64 * GIB;

export class AccessWorld {
  readonly world = new World(32 * GIB);
  readonly #off: AccessSwitchOff | null;
  readonly people: People;
  catalog: Catalog;
  #desk!: PolicyDesk;
  #machines!: Machines;
  #handlers!: Handlers<Contract>;
  #parts!: Parts;
  #ranges: RangeDesk | null = null;
  /** Counts ids of VMs and disks that clients had made. */
  #made = 100;
  rules: Rules = NO_RULES;
  readonly violations: string[] = [];
  refused = 0;
  accepted = 0;

  constructor(seed: number, off: AccessSwitchOff | null = null) {
    this.#off = off;
    this.people = new People(seed);
    this.catalog = openCatalog(':memory:');
    for (const n of VMS) this.catalog.put(specOf(n, 256, 2048));
    this.#begin();
  }

  /** A control begins, over what there is. */
  #begin(): void {
    // The control before it is dead, and so are its trials.
    this.#ranges?.stop();
    const { world, catalog } = this;
    const memory = world.manager;
    const topics = new Topics(contract);
    const log = (line: string): void => void world.log.push(line);
    const desk = new PolicyDesk({
      clock: world.clock,
      look: () => foldersOf({ 'managed/a.json': policyText(settingsOf(this.rules)) }),
      lastGood: { read: () => ({}), write: () => undefined },
      user: () => userValues(catalog.memoryPolicy() ?? {}),
      defaults: () => builtIn(TOTAL_KIB),
      log,
    });
    const policy = () => (this.#off === 'bound' ? unrestricted : desk.policy);
    const machines = new Machines({
      catalog,
      memory,
      clock: world.clock,
      supervisor: new FakeHost().ports(),
      ...NO_DISKS,
      random: { uuid: () => uuid(++this.#made) },
      policy,
      changed: () => undefined,
      log,
    } as unknown as MachinesPorts);
    const ranges = new RangeDesk({
      clock: world.clock,
      store: openRangeStore(catalog.db, () => undefined),
      specOf: vmId => machines.spec(vmId),
      setRange: (vmId, range) => machines.setRange(vmId, range),
      tell: () => undefined,
      changed: () => undefined,
      log,
    });
    const bound = { desk, memory, machines, topics, totalKib: TOTAL_KIB, log };
    desk.onChange(() => applyPolicy(bound));
    this.#parts = new Parts({ db: catalog.db, clock: world.clock, desk, machines, policy });
    const handlers = createService({
      ...this.#parts.all,
      memory,
      ranges,
      setMemoryPolicy: change => setMemoryPolicy(bound, catalog, change),
    } as Partial<ServiceParts> as ServiceParts);
    [this.#desk, this.#machines] = [desk, machines];
    this.#handlers = this.#guarded(this.#noted(handlers));
    this.people.begin({
      ...{ db: catalog.db, clock: world.clock, desk, topics, log, handlers: this.#handlers },
      mayBrowse: () => this.rules.canBrowse,
      mayForbid: method => REAL.includes(method),
      isCutOff: this.#off !== 'cut-off',
      say: what => this.say(what),
    });
    this.#ranges = ranges;
    ranges.begin();
    applyPolicy(bound);
  }

  /** All other methods only note that they were reached. */
  #noted(handlers: Handlers<Contract>): Handlers<Contract> {
    const entries = METHODS.map(method => [
      method,
      (params: never, context: never) => {
        this.people.reached(method);
        if (REAL.includes(method)) return handlers[method](params, context);
        throw new Fault({ code: 'rpc.unavailable', what: 'Nothing is behind it.', safe: '', todo: '' });
      },
    ]);
    return Object.fromEntries(entries) as Handlers<Contract>;
  }

  #guarded(handlers: Handlers<Contract>): Handlers<Contract> {
    const policy = () => this.#desk.policy;
    if (this.#off === 'guard') return handlers;
    const specOf = (vmId: VmId) => this.#machines.spec(vmId);
    if (this.#off !== 'role') return guarded(handlers, policy, specOf);
    return wrapped(handlers, (method, params, context) =>
      CHECKS[method as (typeof METHODS)[number]]?.(policy(), params as never, context, specOf),
    );
  }

  async start(): Promise<void> {
    for (const n of VMS) await this.world.start(n, this.#machines.bound(uuid(n)));
  }

  /** A client's call: it is done, or refused, nothing else. `by`: null is the person at this computer. */
  async call(method: keyof Handlers<Contract>, params: unknown, by: Person | null = null): Promise<boolean> {
    if (by !== null) {
      const isDone = (await this.people.call(by, method, params)) && (await this.#isWorkDone(method));
      if (isDone) this.accepted += 1;
      else this.refused += 1;
      return isDone;
    }
    try {
      await (this.#handlers[method] as (params: unknown, context: unknown) => unknown)(params, {
        caller: { id: 1, kind: 'local' },
      });
      const isDone = await this.#isWorkDone(method);
      if (isDone) this.accepted += 1;
      else this.refused += 1;
      return isDone;
    } catch (error) {
      if (!(error instanceof Fault)) throw error;
      this.refused += 1;
      return false;
    }
  }

  #isWorkDone(method: string): Promise<boolean> {
    return method === 'vm.create' ? this.#parts.isWorkDone() : Promise.resolve(true);
  }

  put(rules: Rules): void {
    this.rules = rules;
    this.#desk.look();
  }

  /** Anybody who can write the database's file writes what they like; then a new control begins. */
  edit(work: (db: Database.Database) => void): void {
    work(this.catalog.db);
    this.#begin();
  }

  settle(): Promise<void> {
    return this.world.run(SETTLE_MS);
  }

  say(what: string): void {
    this.violations.push(what);
  }

  /** Checks everything that is in force now. */
  check(after: string): void {
    const { rules } = this;
    this.people.check(after);
    const found = hostOutside(this.world.manager.hostMemory(), rules);
    for (const { spec } of this.#machines.list()) {
      found.push(...machineOutside(this.#machines.bound(spec.id), rules));
      found.push(...scheduleOutside(this.#parts.histories.state(spec.id).schedule, rules));
    }
    for (const what of found) this.say(`${after}: ${what}`);
  }

  get vmCount(): number {
    return this.catalog.all().length;
  }

  /** The VM's automatic history as it counts. */
  schedule(vmId: VmId): Schedule {
    return this.#parts.histories.state(vmId).schedule;
  }

  /** Checks what guests hold, once they had time to give back. */
  checkGuests(after: string): void {
    const { vmMax } = this.rules;
    for (const n of VMS)
      if (vmMax !== null && this.world.actual(n) > vmMax)
        this.say(`${after}: vm${n} holds ${this.world.actual(n)} MiB of ${vmMax}`);
  }
}
