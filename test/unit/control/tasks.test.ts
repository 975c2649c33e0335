// Long work: what keeps a VM busy, how it ends, and how much of it is remembered.
import { beforeEach, expect, it } from 'vitest';
import { type NewTask, Tasks } from '../../../electron/control/tasks.ts';
import { taskIdSchema } from '../../../shared/ids.ts';
import { Fault } from '../../../shared/result.ts';
import { TestClock, uuid } from '../../support/memory-world.ts';

const vm = uuid(1);
let tasks: Tasks;
let logged: string[];

beforeEach(() => {
  let n = 100;
  logged = [];
  tasks = new Tasks({
    clock: new TestClock(),
    random: { uuid: () => uuid(n++), bytes: length => new Uint8Array(length) },
    changed: () => undefined,
    log: line => logged.push(line),
  });
});

const begin = (work: NewTask['work'], kind: NewTask['kind'] = 'vm.start') =>
  tasks.start({ kind, vmId: vm, title: 'Start demo', canCancel: true, work });
const ended = async (): Promise<void> => {
  for (let turn = 0; turn < 10; turn++) await Promise.resolve();
};
const never = (): Promise<void> => new Promise(() => undefined);

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
  const stopped = begin(
    (_, signal) =>
      new Promise((_resolve, reject) => {
        signal.addEventListener('abort', () => reject(new Error('aborted')));
      }),
  );
  const id = begin(() => Promise.reject(new TypeError('x is not a function')));
  tasks.cancel(stopped);
  await ended();
  expect(
    tasks
      .list()
      .map(({ state }) => state)
      .reverse(),
  ).toEqual(['done', 'failed', 'cancelled', 'failed']);
  expect(
    tasks
      .list()
      .map(({ error }) => error?.code ?? null)
      .reverse(),
  ).toEqual([null, 'disk.full', null, 'internal']);
  expect(logged.join()).toContain(`task ${id}: TypeError: x is not a function`);
  expect(tasks.isBusy(vm, true)).toBe(false);
  expect(() => tasks.cancel(stopped)).toThrow(Fault);
  expect(() => tasks.cancel(taskIdSchema.parse(uuid(999)))).toThrow(Fault);
});

it('of those that ended the newest fifty are remembered, and all that run', async () => {
  const running = begin(never);
  for (let n = 0; n < 60; n++) begin(() => Promise.resolve());
  await ended();
  begin(() => Promise.resolve());
  await ended();
  expect(tasks.list().filter(({ state }) => state !== 'running')).toHaveLength(50);
  expect(tasks.list().some(({ id }) => id === running)).toBe(true);
});
