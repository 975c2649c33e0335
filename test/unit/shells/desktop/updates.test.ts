// New versions of Ebb itself: never where IT forbids it, never during a task, never without the person's word.
import { describe, expect, it } from 'vitest';
import { updatesAllowed } from '../../../../electron/control/updates.ts';
import { keepUpToDate, nextStep, replacesItself } from '../../../../electron/shells/desktop/updates.ts';
import { TASKS_WAITED_FOR_MAX, type Task, taskSchema } from '../../../../shared/task.ts';
import { exampleOf } from '../../../support/example.ts';

const task = (change: Partial<Task>): Task => ({
  ...(exampleOf(taskSchema, 'output') as Task),
  state: 'running',
  isPaused: false,
  ...change,
});
const HOUR = 3600_000;

describe('what control allows', () => {
  it('is nothing where the policy says no, whatever else', () => {
    expect(updatesAllowed(false, [])).toEqual({ mayLook: false, mayInstall: false, waitsFor: [] });
  });

  it('waits for tasks in the middle of their work, and for no others', () => {
    const tasks = [
      task({ title: 'Clone a' }),
      task({ title: 'Export b', isPaused: true }),
      task({ title: 'Verify c', state: 'done' }),
    ];
    expect(updatesAllowed(true, tasks)).toEqual({ mayLook: true, mayInstall: false, waitsFor: ['Clone a'] });
    expect(updatesAllowed(true, tasks.slice(1)).mayInstall).toBe(true);
    const many = Array.from({ length: 3 * TASKS_WAITED_FOR_MAX }, () => task({}));
    expect(updatesAllowed(true, many).waitsFor).toHaveLength(TASKS_WAITED_FOR_MAX);
  });
});

describe('what replaces itself', () => {
  it.each([
    ['an AppImage', { platform: 'linux', isPackaged: true, appImage: '/a.AppImage', hasFeed: true }, true],
    ['a deb', { platform: 'linux', isPackaged: true, appImage: undefined, hasFeed: true }, false],
    ['macOS', { platform: 'darwin', isPackaged: true, appImage: undefined, hasFeed: true }, true],
    [
      'a package without an address',
      { platform: 'win32', isPackaged: true, appImage: undefined, hasFeed: false },
      false,
    ],
    [
      'a run from source',
      { platform: 'win32', isPackaged: false, appImage: undefined, hasFeed: true },
      false,
    ],
  ])('%s: %s', (_, package_, does) => expect(replacesItself(package_)).toBe(does));
});

describe('the next step', () => {
  const none = { ready: null, declined: null, lookedAtMs: null };
  const all = { mayLook: true, mayInstall: true };
  it.each([
    ['forbidden', none, { mayLook: false, mayInstall: false }, 0, 'wait'],
    [
      'forbidden after it was fetched',
      { ...none, ready: '2' },
      { mayLook: false, mayInstall: false },
      0,
      'wait',
    ],
    ['never looked', none, all, 0, 'look'],
    ['looked just now', { ...none, lookedAtMs: 0 }, all, HOUR, 'wait'],
    ['looked long ago', { ...none, lookedAtMs: 0 }, all, 6 * HOUR, 'look'],
    ['fetched, a task runs', { ...none, ready: '2' }, { mayLook: true, mayInstall: false }, 0, 'wait'],
    ['fetched', { ...none, ready: '2', lookedAtMs: 0 }, all, 0, 'offer'],
    ['fetched, and later was said', { ready: '2', declined: '2', lookedAtMs: 0 }, all, HOUR, 'wait'],
    ['a newer one than was declined', { ready: '3', declined: '2', lookedAtMs: 0 }, all, HOUR, 'offer'],
  ] as const)('%s', (_, state, allowed, nowMs, step) => expect(nextStep(state, allowed, nowMs)).toBe(step));
});

describe('round after round', () => {
  const usual = {
    mayLook: true,
    mayInstall: true,
    newest: '2' as string | null,
    says: true,
    taskAtOnce: false,
  };
  function world(change: Partial<typeof usual> = {}) {
    const done: string[] = [];
    const is = { ...usual, ...change };
    let nowMs = 0;
    let round = (): void => undefined;
    const every = (_: number, run: () => void) => {
      round = run;
      return { cancel: () => undefined };
    };
    const clock = { monotonicMs: () => nowMs, wallMs: () => nowMs, every, after: every };
    const settle = () => new Promise(resolve => setImmediate(resolve));
    keepUpToDate({
      clock,
      allowed: async () => ({ mayLook: is.mayLook, mayInstall: is.mayInstall }),
      fetch: async () => {
        done.push('fetch');
        if (is.newest === null) throw new Error('no network');
        return is.newest;
      },
      confirm: async version => {
        done.push(`confirm ${version}`);
        if (is.taskAtOnce) is.mayInstall = false;
        return is.says;
      },
      install: () => void done.push('install'),
      log: line => void done.push(line),
    });
    /** Time passes, and one round of it. */
    /** A quarter of an hour, and the round at its end; at first what was begun at once. */
    const later = async (quarters: number) => {
      for (let n = 0; n < quarters; n++) {
        nowMs += HOUR / 4;
        round();
        await settle();
      }
      await settle();
      return done.splice(0);
    };
    return { is, later };
  }

  it('fetches, asks, and installs at the person’s word', async () => {
    const { later } = world();
    expect(await later(0)).toEqual(['fetch', 'confirm 2', 'install']);
  });

  it('waits for the task that began while the person thought, and asks again', async () => {
    const { is, later } = world({ taskAtOnce: true });
    expect(await later(0)).toEqual(['fetch', 'confirm 2', 'the update waits for a task']);
    expect(await later(1)).toEqual([]);
    is.taskAtOnce = false;
    is.mayInstall = true;
    expect(await later(1)).toEqual(['confirm 2', 'install']);
  });

  it('asks once for one that is declined', async () => {
    const { is, later } = world({ says: false });
    expect(await later(0)).toEqual(['fetch', 'confirm 2']);
    expect(await later(8)).toEqual([]);
    is.newest = '3';
    expect(await later(15)).toEqual([]);
    expect(await later(1)).toEqual(['fetch', 'confirm 3']);
  });

  it('fetches nothing where IT forbids it, and asks a failing feed every six hours', async () => {
    const { is, later } = world({ mayLook: false });
    expect(await later(30)).toEqual([]);
    is.mayLook = true;
    is.newest = null;
    expect(await later(1)).toEqual(['fetch', 'update: Error: no network']);
    expect(await later(23)).toEqual([]);
    expect(await later(1)).toHaveLength(2);
  });
});
