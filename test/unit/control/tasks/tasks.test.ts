// Long work: what keeps a VM busy, how it is paused and how it ends, how much of it is remembered, and what of it is begun
// again when control has died. The journal is a real one.
import Database from 'better-sqlite3';
import { beforeEach, describe, expect, it } from 'vitest';
import { openTaskJournal } from '../../../../electron/control/store/task-journal.ts';
import { type NewTask, type TaskRun, Tasks, type Work } from '../../../../electron/control/tasks/tasks.ts';
import { taskIdSchema } from '../../../../shared/ids.ts';
import { Fault } from '../../../../shared/result.ts';
import { turns } from '../../../support/loose-run.ts';
import { TestClock, uuid } from '../../../support/memory-world.ts';

const vm = uuid(1);
let db: Database.Database;
let tasks: Tasks;
let logged: string[];
let n: number;

/** Another control, over the same database. */
function control(): Tasks {
  return new Tasks({
    clock: new TestClock(),
    random: { uuid: () => uuid(n++), bytes: length => new Uint8Array(length) },
    journal: openTaskJournal(db),
    changed: () => undefined,
    log: line => logged.push(line),
  });
}
beforeEach(() => {
  n = 100;
  logged = [];
  db = new Database(':memory:');
  tasks = control();
});

const begin = (work: NewTask['work'], kind: NewTask['kind'] = 'vm.start', order?: unknown) =>
  tasks.start({
    kind,
    vmId: vm,
    title: 'Start demo',
    canCancel: true,
    work,
    ...(order === undefined ? {} : { order }),
  });
const never = (): Promise<void> => new Promise(() => undefined);
const untilCancelled: Work = ({ signal }) =>
  new Promise((_, reject) => {
    signal.addEventListener('abort', () => reject(new Error('aborted')));
  });
const newest = () => tasks.list()[0];

it('a VM is busy with what changes it, and with what reads it where that matters', () => {
  begin(never, 'vm.verify');
  expect([tasks.isBusy(vm), tasks.isBusy(vm, true), tasks.isBusy(uuid(2), true)]).toEqual([
    false,
    true,
    false,
  ]);
  begin(never, 'vm.suspend');
  expect(tasks.isBusy(vm)).toBe(true);
});

it('and with what its caller waits for, until that is over, also by failing', async () => {
  let release = (): void => undefined;
  const held = tasks.whileHeld(vm, () => new Promise<void>(resolve => (release = resolve)));
  expect(tasks.isBusy(vm)).toBe(true);
  release();
  await held;
  expect(tasks.isBusy(vm)).toBe(false);
  const failing = tasks.whileHeld(vm, () => Promise.reject(new Error('no room')));
  expect(tasks.isBusy(vm)).toBe(true);
  await expect(failing).rejects.toThrow('no room');
  expect(tasks.isBusy(vm)).toBe(false);
});

it('it ends done, failed with its reason, or cancelled; a mistake of ours is logged and named by its task', async () => {
  const fault = new Fault({ code: 'disk.full', what: 'Full.', safe: 'All.', todo: 'Free some.' });
  begin(() => Promise.resolve());
  begin(() => Promise.reject(fault));
  const stopped = begin(untilCancelled);
  const id = begin(() => Promise.reject(new TypeError('x is not a function')));
  tasks.cancel(stopped);
  await turns();
  const ended = tasks.list().reverse();
  expect(ended.map(({ state }) => state)).toEqual(['done', 'failed', 'cancelled', 'failed']);
  expect(ended.map(({ error }) => error?.code ?? null)).toEqual([null, 'disk.full', null, 'internal']);
  expect(logged.join()).toContain(`task ${id}: TypeError: x is not a function`);
  expect(tasks.isBusy(vm, true)).toBe(false);
  expect(() => tasks.cancel(stopped)).toThrow(Fault);
  expect(() => tasks.cancel(taskIdSchema.parse(uuid(999)))).toThrow(Fault);
});

it('of those that ended the newest fifty are remembered, and all that run', async () => {
  const running = begin(never);
  for (let n = 0; n < 60; n++) begin(() => Promise.resolve());
  await turns();
  begin(() => Promise.resolve());
  await turns();
  expect(tasks.list().filter(({ state }) => state !== 'running')).toHaveLength(50);
  expect(tasks.list().some(({ id }) => id === running)).toBe(true);
});

it('it tells its bytes, and its share follows from them', () => {
  let step: TaskRun['step'] = () => undefined;
  begin(run => {
    ({ step } = run);
    return never();
  });
  step('looking');
  expect(newest()).toMatchObject({ step: 'looking', bytesDone: null, bytesTotal: null, progress: null });
  step('copying', { done: 30.4, total: 120 });
  expect(newest()).toMatchObject({ bytesDone: 30, bytesTotal: 120, progress: 0.25 });
  step('copying', { done: 130, total: 120 });
  expect(newest()).toMatchObject({ bytesDone: 120, progress: 1 });
  step('copying', { done: 0, total: 0 });
  expect(newest()).toMatchObject({ bytesDone: 0, progress: 1 });
});

describe('a pause', () => {
  it('is refused where the work cannot wait, and kept where it can, until it is told to go on or cancelled', async () => {
    let enter = (): void => undefined;
    const pieces: string[] = [];
    const id = begin(async ({ gate }) => {
      await new Promise<void>(resolve => (enter = resolve));
      await gate.pausable(async () => {
        await new Promise<void>(resolve => (enter = resolve));
        await gate.passed();
        pieces.push('second');
      });
    });
    expect(newest()).toMatchObject({ canPause: false, isPaused: false });
    expect(() => tasks.pause(id)).toThrow('cannot be paused');
    enter();
    await turns();
    expect(newest()).toMatchObject({ canPause: true, isPaused: false });
    tasks.pause(id);
    enter();
    await turns();
    expect([newest()?.state, newest()?.isPaused, pieces]).toEqual(['running', true, []]);
    expect(tasks.isBusy(vm)).toBe(true);
    tasks.resume(id);
    await turns();
    expect([newest()?.state, newest()?.isPaused, pieces]).toEqual(['done', false, ['second']]);
    expect(() => tasks.resume(id)).toThrow(Fault);
  });

  it('ends by cancelling, as cancelled', async () => {
    let enter = (): void => undefined;
    const id = begin(({ gate }) =>
      gate.pausable(async () => {
        await new Promise<void>(resolve => (enter = resolve));
        await gate.passed();
      }),
    );
    await turns();
    tasks.pause(id);
    enter();
    await turns();
    expect(newest()).toMatchObject({ state: 'running', isPaused: true });
    tasks.cancel(id);
    await turns();
    expect(newest()).toMatchObject({ state: 'cancelled', canPause: false, isPaused: false });
  });
});

describe('when control has died', () => {
  const again = (work: Work | null) => {
    tasks = control();
    tasks.beginAgain(() => work);
  };

  it('long work is begun again under its id from where it stood; what is not long is gone, and what ended too', async () => {
    begin(never);
    begin(() => Promise.resolve(), 'vm.verify', { what: 'ended' });
    const id = begin(
      run => {
        run.mark({ at: 7 });
        return never();
      },
      'moment.export',
      { what: 'export', path: '/x' },
    );
    await turns();
    const [before] = tasks.list();
    const seen: unknown[] = [];
    tasks = control();
    tasks.beginAgain(
      order =>
        async ({ isAgain, stood }) =>
          void seen.push([order, isAgain, stood]),
    );
    await turns();
    expect(seen).toEqual([[{ what: 'export', path: '/x' }, true, { at: 7 }]]);
    expect(tasks.list().map(task => [task.id, task.kind, task.title, task.state])).toEqual([
      [id, 'moment.export', before?.title, 'done'],
    ]);
    // Done, it is not begun a third time.
    again(() => Promise.reject(new Error('begun')));
    expect(tasks.list()).toEqual([]);
  });

  it('what was paused stays so, and is begun when it is told to go on', async () => {
    const id = begin(({ gate }) => gate.pausable(never), 'vm.verify', {});
    await turns();
    tasks.pause(id);
    const begun: string[] = [];
    again(() => Promise.resolve(void begun.push('begun')));
    await turns();
    expect([begun, newest()?.isPaused, newest()?.canPause]).toEqual([[], true, true]);
    // However often control dies meanwhile.
    for (let death = 0; death < 5; death++) again(() => Promise.resolve(void begun.push('begun')));
    tasks.resume(id);
    await turns();
    expect([begun, newest()?.state]).toEqual([['begun'], 'done']);
  });

  it('one that is under way at each of three deaths is not begun a fourth time, and says so', async () => {
    begin(never, 'vm.verify', {});
    again(never);
    again(never);
    expect(newest()?.state).toBe('running');
    again(() => Promise.reject(new Error('begun')));
    await turns();
    expect(newest()).toMatchObject({ state: 'failed', error: { code: 'internal' } });
    expect(newest()?.error?.what).toContain('each of the three times');
    again(never);
    expect(tasks.list()).toEqual([]);
  });

  it('but an end in peace counts for none, and what fails in it is not over', async () => {
    let fail = (_: Error): void => undefined;
    begin(() => new Promise((_, reject) => (fail = reject)), 'vm.verify', {});
    tasks.leave();
    fail(new Error('storage has ended'));
    await turns();
    again(never);
    for (let end = 0; end < 6; end++) {
      tasks.leave();
      again(never);
      expect(newest()?.state).toBe('running');
    }
  });

  it('what nobody can go on with any more ends as failed', async () => {
    begin(never, 'vm.verify', { what: 'of a later version' });
    again(null);
    await turns();
    expect(newest()).toMatchObject({ state: 'failed', error: { code: 'rpc.version-mismatch' } });
  });
});

it('a hundred can be noted; one more is refused, and has not begun', () => {
  for (let n = 0; n < 100; n++) begin(never, 'vm.verify', {});
  const begun: string[] = [];
  const more = () => begin(() => Promise.resolve(void begun.push('begun')), 'vm.verify', {});
  expect(more).toThrow(Fault);
  expect(begun).toEqual([]);
  expect(tasks.list()).toHaveLength(100);
});

it('of the journal, what cannot be read is thrown away', () => {
  begin(never, 'vm.verify', {});
  begin(never, 'moment.export', {});
  db.exec("UPDATE task SET body = '{' WHERE rowid = 1");
  tasks = control();
  tasks.beginAgain(() => never);
  expect(tasks.list().map(({ kind }) => kind)).toEqual(['moment.export']);
  expect(db.prepare('SELECT count(*) AS n FROM task').get()).toEqual({ n: 1 });
});

it('a journal that cannot be written stops no work, and is told of in the log', async () => {
  db.pragma('query_only = 1');
  begin(() => Promise.resolve(), 'vm.verify', {});
  await turns();
  expect(newest()?.state).toBe('done');
  expect(logged.join()).toContain('could not be noted');
});
