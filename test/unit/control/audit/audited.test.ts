// Where records come from: one door around the contract's handlers, by a table that knows every method; what goes on and what
// is refused where nothing can be written; floods of denials; and the ends of what the last control had begun.
import { beforeEach, describe, expect, it } from 'vitest';
import type { Audit } from '../../../../electron/control/audit/audit.ts';
import type { AuditLog } from '../../../../electron/control/audit/audit-log.ts';
import { audited } from '../../../../electron/control/audit/audited.ts';
import { AUDITED, type AuditLook, type AuditRule } from '../../../../electron/control/audit/table.ts';
import { taskEnded } from '../../../../electron/control/compose/audit.ts';
import { DEFAULT_SCHEDULE, type Schedule } from '../../../../shared/history.ts';
import type { MomentId, TaskId, VmId } from '../../../../shared/ids.ts';
import { Fault } from '../../../../shared/result.ts';
import type { Role } from '../../../../shared/roles.ts';
import { type Contract, contract } from '../../../../shared/rpc/contract.ts';
import type { CallContext, Handlers } from '../../../../shared/rpc/server.ts';
import type { Task } from '../../../../shared/task.ts';
import { AuditWorld, draft } from '../../../support/audit-world.ts';
import { uuid } from '../../../support/memory-world.ts';

const vmId = uuid(1) as VmId;
const momentId = uuid(2) as unknown as MomentId;
const task = uuid(3) as unknown as TaskId;
const context = (kind: 'local' | 'browser' = 'local', user = '', role: Role = 'administer'): CallContext => ({
  signal: new AbortController().signal,
  caller: { id: 1, kind, role, user, session: null, onGone: () => undefined },
  emit: () => undefined,
});

let world: AuditWorld;
let log: AuditLog;
let audit: Audit;
let spec: { name: string; minKib: number; maxKib: number } | null;
let did: string[];
let keepsPoints: boolean;

const look = (): AuditLook => ({
  spec: () => spec as never,
  host: () => ({ mode: 'demand', reserveKib: 1, budgetKib: 2, capKib: null }),
  momentName: () => Promise.resolve('before update'),
  task: id => (id === task ? { kind: 'vm.stop', vmId, fileName: null } : null),
  access: { whatIs: () => ({ name: 'ana' }), whoIs: () => ({}) },
});
const refusal = (code: 'memory.over-host' | 'rpc.denied' | 'policy.denied' | 'vm.timeout') =>
  new Fault({ code, what: 'No.', safe: '', todo: '' });
/** Only what these tests call. */
const handlers = () =>
  audited(
    {
      'memory.set-range': ({ minKib, maxKib }) => {
        if (maxKib > 100) throw refusal('memory.over-host');
        did.push('set');
        Object.assign(spec ?? {}, { minKib, maxKib });
        return {} as never;
      },
      'vm.stop': () => {
        did.push('stop');
        return { taskId: task };
      },
      'task.cancel': ({ taskId }) => {
        audit.taskEnded(taskId, { outcome: 'cancelled' });
        return {};
      },
      'moment.delete': () => {
        did.push('delete');
        return {};
      },
      'console.open': () => {
        throw refusal('rpc.denied');
      },
      'file.register': () => {
        throw refusal('rpc.denied');
      },
      'headless.link': () => ({ id: uuid(7) as never, token: 'secret', expiresAt: 9 }),
      'vm.list': () => ({ vms: [] }),
    } satisfies Partial<Handlers<Contract>> as unknown as Handlers<Contract>,
    audit,
    look(),
    (method, _, { caller }) => {
      if (method !== 'moment.delete') return;
      if (caller.kind !== 'local' && caller.role === 'view') throw refusal('rpc.denied');
      if (keepsPoints) throw refusal('policy.denied');
    },
  );
/** `rejects` is slow, for a flood. */
const refusalOf = (call: unknown): Promise<string> =>
  Promise.resolve(call).then(
    () => 'none',
    (cause: unknown) => (cause instanceof Fault ? cause.body.code : String(cause)),
  );
const told = () => world.told.map(({ action, outcome }) => `${action} ${outcome}`);

beforeEach(() => {
  world = new AuditWorld();
  log = world.log();
  audit = world.audit(log);
  audit.begin(() => false);
  spec = { name: 'dev', minKib: 10, maxKib: 20 };
  did = [];
  keepsPoints = false;
});

describe('the table', () => {
  const rows = Object.entries(contract.methods).map(
    ([name, { kind }]) => [name, kind, AUDITED[name as keyof typeof AUDITED]] as const,
  );

  it('has a row for every method of the contract, and none besides', () => {
    expect(Object.keys(AUDITED).sort()).toEqual(Object.keys(contract.methods).sort());
  });

  it('audits no query, and every command and task but those that say why not', () => {
    // But for those the gateway asks in a browser's name: their denials are the browser's.
    expect(rows.filter(([, kind, row]) => kind === 'query' && row !== 'reads').map(([name]) => name)).toEqual(
      ['headless.session', 'file.download'],
    );
    const not = rows
      .filter(([, kind, row]) => kind !== 'query' && typeof row === 'string')
      .map(([name]) => name);
    expect(not.sort()).toEqual(
      [
        'app.power',
        'console.close',
        'console.open',
        'console.send',
        'file.register',
        'headless.sign-in',
        'memory.focus',
        'settle.set',
        'vm.verify',
      ].sort(),
    );
  });

  it('refuses what widens limits, goes back or gives data away; lets go on what makes room or makes safe', () => {
    const of = (ifFull: string) =>
      rows.filter(([, , row]) => typeof row !== 'string' && row.ifFull === ifFull).map(([name]) => name);
    expect(of('refuse')).toEqual(
      expect.arrayContaining(['memory.set-range', 'memory.set-policy', 'moment.go-back', 'moment.export']),
    );
    expect(of('go-on')).toEqual(
      expect.arrayContaining(['vm.stop', 'vm.suspend', 'vm.delete', 'moment.delete', 'trash.purge']),
    );
  });
});

describe('records', () => {
  it('say who, what, from what to what, before and after', async () => {
    await handlers()['memory.set-range']({ vmId, minKib: 5, maxKib: 30 }, context());
    const about = { via: 'local', user: 'ann', action: 'memory.set-range', vmId, vmName: 'dev' };
    expect(world.told).toMatchObject([
      { ...about, seq: 1, outcome: 'begun', from: { minKib: 10, maxKib: 20 }, to: { minKib: 5, maxKib: 30 } },
      { ...about, seq: 2, of: 1, outcome: 'done', from: { minKib: 10 }, to: { minKib: 5, maxKib: 30 } },
    ]);
  });

  it('name what is made, and tell no secret', async () => {
    await handlers()['headless.link']({ role: 'view' }, context());
    expect(world.told.map(({ to }) => to)).toEqual([{ role: 'view' }, { role: 'view', link: uuid(7) }]);
  });

  it('say why not', async () => {
    const call = handlers()['memory.set-range']({ vmId, minKib: 5, maxKib: 300 }, context('browser', 'ana'));
    await expect(call).rejects.toThrow('memory.over-host');
    expect(world.told[1]).toMatchObject({ via: 'browser', by: 'ana', outcome: 'refused' });
  });

  it('of a schedule name all its limits', async () => {
    const row = AUDITED['history.set'] as AuditRule<{ vmId: VmId; schedule: Schedule }>;
    const { keep, ...others } = DEFAULT_SCHEDULE;
    expect(await row.wanted({ vmId, schedule: DEFAULT_SCHEDULE }, look())).toEqual({ ...others, ...keep });
  });

  it('name the point', async () => {
    await handlers()['moment.delete']({ vmId, momentId }, context());
    expect(world.told[1]?.to).toEqual({ momentId, point: 'before update' });
  });

  it('of reading there are none', async () => {
    await handlers()['vm.list']({}, context());
    expect(world.told).toEqual([]);
  });
});

describe('tasks', () => {
  it.each([
    ['after', false],
    ['before', true],
  ])('end when the task ends, also when that is %s its id is known', async (_, isEarly) => {
    if (isEarly) audit.taskEnded(task, { outcome: 'failed', code: 'vm.timeout' });
    await handlers()['vm.stop']({ vmId, how: 'shutdown' }, context());
    if (!isEarly) {
      expect(told()).toEqual(['vm.stop begun']);
      expect(audit.isOpen(1)).toBe(true);
      audit.taskEnded(task, { outcome: 'failed', code: 'vm.timeout' });
    }
    expect(world.told[1]).toMatchObject({ outcome: 'failed', of: 1, task, code: 'vm.timeout' });
    expect(audit.isOpen(1)).toBe(false);
  });

  it('that a policy says no to when they begin are denied, not failed', async () => {
    const ended = taskEnded(audit);
    for (const code of ['policy.denied', 'vm.timeout'] as const) {
      await handlers()['vm.stop']({ vmId, how: 'shutdown' }, context());
      ended({ id: task, state: 'failed', error: refusal(code).body } as Task);
    }
    expect(told()).toEqual(['vm.stop begun', 'vm.stop denied', 'vm.stop begun', 'vm.stop failed']);
  });

  it('that another cancels say who, and so does what they leave', async () => {
    await handlers()['vm.stop']({ vmId, how: 'shutdown' }, context('browser', 'ana'));
    await handlers()['task.cancel']({ taskId: task }, context('browser', 'bo'));
    const to = { task: 'vm.stop', taskId: task };
    expect(world.told.slice(1)).toMatchObject([
      { action: 'task.cancel', outcome: 'begun', by: 'bo', vmId, vmName: 'dev', to },
      { action: 'vm.stop', outcome: 'cancelled', by: 'ana', to: { cancelledBy: 'browser: bo' } },
      { action: 'task.cancel', outcome: 'done', by: 'bo', to },
    ]);
  });

  it('that end by themselves name nobody who cancelled', async () => {
    await handlers()['vm.stop']({ vmId, how: 'shutdown' }, context());
    audit.cancels(task, { via: 'local' });
    audit.taskEnded(task, { outcome: 'done' });
    expect(world.told[1]?.to).not.toHaveProperty('cancelledBy');
  });

  it('that go on with the next control end there; of what else was begun nobody knows', async () => {
    await handlers()['vm.stop']({ vmId, how: 'shutdown' }, context());
    audit.start(draft('vm.rename'), 'go-on');
    const next = world.audit(world.log());
    next.begin(id => id === task);
    expect(world.told.slice(2)).toMatchObject([{ action: 'vm.rename', outcome: 'unknown', of: 2 }]);
    next.taskEnded(task, { outcome: 'done' });
    expect(world.told[3]).toMatchObject({ action: 'vm.stop', outcome: 'done', of: 1 });
    const third = world.audit(world.log());
    third.begin(() => false);
    expect(world.told).toHaveLength(4);
    expect((await world.log().verify()).problems).toEqual([]);
  });
});

describe('a disk that is full', () => {
  it('refuses a change of limits, and lets a VM be stopped and a point deleted', async () => {
    world.folder.isFull = true;
    const set = handlers()['memory.set-range']({ vmId, minKib: 5, maxKib: 30 }, context());
    await expect(set).rejects.toMatchObject({ body: { code: 'audit.unwritable' } });
    await handlers()['vm.stop']({ vmId, how: 'force' }, context());
    await handlers()['moment.delete']({ vmId, momentId }, context());
    audit.taskEnded(task, { outcome: 'done' });
    expect(did).toEqual(['stop', 'delete']);
    expect(world.told).toEqual([]);

    world.folder.isFull = false;
    await handlers()['memory.set-range']({ vmId, minKib: 5, maxKib: 30 }, context());
    expect(told()).toEqual([
      'vm.stop begun',
      'moment.delete begun',
      'moment.delete done',
      'vm.stop done',
      'memory.set-range begun',
      'memory.set-range done',
    ]);
    expect(world.told.map(({ of }) => of)).toEqual([null, null, 2, 1, null, 5]);
    expect((await world.log().verify()).problems).toEqual([]);
  });

  it('that stays full costs bounded memory, and how much was lost is told', () => {
    world.folder.isFull = true;
    for (let n = 0; n < 1300; n++) audit.note(draft(`did.${n}`));
    world.folder.isFull = false;
    audit.note(draft('and.then'));
    expect(told().slice(-3)).toEqual(['did.999 done', 'audit.lost done', 'and.then done']);
    expect(world.told.at(-2)?.times).toBe(300);
  });
});

describe('denials', () => {
  it('of what is not audited otherwise are, and a flood of them is two records', async () => {
    const all = handlers();
    for (let n = 0; n < 5000; n++)
      expect(await refusalOf(all['file.register']({ path: '/' }, context('browser')))).toBe('rpc.denied');
    expect(told()).toEqual(['file.register denied']);
    await world.clock.advance(60_000);
    expect(world.told).toMatchObject([{ times: 1 }, { times: 4999, code: 'rpc.denied', via: 'browser' }]);
  });

  it('of more kinds than are kept apart are counted together, each who for himself', async () => {
    for (let n = 0; n < 1000; n++) audit.denied(draft(`a.${n}`, { by: 'ana' }), 'rpc.denied');
    audit.denied(draft('a.1', { by: 'bo' }), 'rpc.denied');
    expect(world.told).toHaveLength(202);
    await world.clock.advance(60_000);
    expect(world.told.slice(202)).toMatchObject([{ action: 'audit.several', by: 'ana', times: 799 }]);
  });

  it('of VMs that are made up are one kind', async () => {
    spec = null;
    const [all, ana] = [handlers(), context('browser', 'ana', 'view')];
    for (let n = 0; n < 1000; n++) {
      const call = all['console.open']({ vmId: uuid(n) as VmId, of: 'serial' }, ana);
      expect(await refusalOf(call)).toBe('rpc.denied');
    }
    await world.clock.advance(60_000);
    expect(world.told).toMatchObject([
      { action: 'console.open', vmId: null },
      { vmId: null, times: 999 },
    ]);
  });

  it('of what the role may not is begun nowhere, and counted too', async () => {
    const [all, ana] = [handlers(), context('browser', 'ana', 'view')];
    for (let n = 0; n < 1000; n++)
      expect(await refusalOf(all['moment.delete']({ vmId, momentId }, ana))).toBe('rpc.denied');
    expect(world.told).toMatchObject([{ action: 'moment.delete', outcome: 'denied', vmId, by: 'ana' }]);
    // From this computer there are no roles.
    await handlers()['moment.delete']({ vmId, momentId }, context('local', '', 'view'));
    expect(told().slice(1)).toEqual(['moment.delete begun', 'moment.delete done']);
  });

  it('by a policy that is known beforehand are one record each, from this computer too, and counted', async () => {
    keepsPoints = true;
    const all = handlers();
    for (let n = 0; n < 100; n++)
      for (const who of [context(), context('browser', 'ana')])
        expect(await refusalOf(all['moment.delete']({ vmId, momentId }, who))).toBe('policy.denied');
    const to = { point: 'before update' };
    const about = { action: 'moment.delete', outcome: 'denied', code: 'policy.denied', vmId, of: null, to };
    expect(world.told).toMatchObject([
      { ...about, via: 'local', vmName: 'dev' },
      { ...about, via: 'browser', by: 'ana' },
    ]);
    await world.clock.advance(60_000);
    expect(world.told.slice(2).map(({ times }) => times)).toEqual([99, 99]);
    expect(did).toEqual([]);
  });

  it.each([1, 2, 10])(
    'that come every %i minutes for a day are some fifty records, and all are counted',
    async every => {
      for (let minute = 0; minute < 24 * 60; minute += every) {
        audit.denied(draft('a', { by: 'ana' }), 'rpc.denied');
        await world.clock.advance(every * 60_000);
      }
      expect(world.told.length).toBeLessThan(60);
      await world.clock.advance(2 * 3_600_000);
      expect(world.told.reduce((sum, { times }) => sum + times, 0)).toBe((24 * 60) / every);
      audit.denied(draft('a', { by: 'ana' }), 'rpc.denied');
      expect(world.told.at(-1)).toMatchObject({ times: 1, action: 'a' });
    },
  );

  it('that are only counted so far are written when control ends', () => {
    for (let n = 0; n < 50; n++)
      audit.denied(draft('memory.set-range', { to: { maxKib: 1000 + n, minKib: 5 } }), 'policy.denied');
    expect(world.told).toMatchObject([{ times: 1, to: { maxKib: 1000 } }]);
    audit.stop();
    audit.stop();
    const [, ...rest] = [...world.log().newestFirst(99)].reverse();
    expect(rest).toMatchObject([{ outcome: 'denied', code: 'policy.denied', times: 49, to: { minKib: 5 } }]);
    expect(rest[0]?.to).not.toHaveProperty('maxKib');
  });

  it('from several places name none of them in their sum', async () => {
    const from = (address: string) => draft('headless.sign-in', { to: { address } });
    for (const place of ['192.0.2.1', '198.51.100.9', '203.0.113.5']) audit.denied(from(place), 'rpc.denied');
    for (let n = 0; n < 2; n++) audit.denied(from('192.0.2.1'), 'policy.denied');
    await world.clock.advance(60_000);
    expect(world.told.map(({ to, times }) => [to, times])).toEqual([
      [{ address: '192.0.2.1' }, 1],
      [{ address: '192.0.2.1' }, 1],
      [{}, 2],
      [{ address: '192.0.2.1' }, 1],
    ]);
  });
});
