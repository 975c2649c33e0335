// Files of points, over tools that take as long as they are told to: what is counted, claimed and cleared away.
import { beforeEach, describe, expect, it } from 'vitest';
import { PointFiles, type PointFilesPorts } from '../../../../electron/control/point-files/desk.ts';
import type { TaskRun } from '../../../../electron/control/tasks/tasks.ts';
import type { MomentId } from '../../../../shared/ids.ts';
import { Fault } from '../../../../shared/result.ts';
import { TestClock, uuid } from '../../../support/memory-world.ts';

const where = { vmId: uuid(1), momentId: uuid(2) as unknown as MomentId, diskId: null, volume: null };
const wanted = { ...where, vmName: 'dev', paths: ['a.txt'] };
const run = { step: () => undefined, signal: new AbortController().signal } as unknown as TaskRun;
const anywhere = (): void => undefined;

let files: Set<string>;
let mounted: Set<string>;
let alive: Set<number>;
let ran: string[];
/** What 7-Zip waits for before it lists, and before it copies. */
let listing: Promise<void>;
let copying: Promise<void>;
let desk: PointFiles;

function ports(): PointFilesPorts {
  let [pid, folders] = [100, 0];
  const json = new Map<string, unknown>();
  return {
    clock: new TestClock(),
    storage: {
      call: async (method: string) =>
        method === 'timeline.get'
          ? { moments: [{ id: where.momentId, points: [{ diskId: uuid(3), pointId: uuid(4) }] }] }
          : { virtualBytes: 2 ** 30 },
    } as unknown as PointFilesPorts['storage'],
    readerSocket: () => '/run/r',
    program: name => `/bin/${name}`,
    spawnTied: () => {
      alive.add(++pid);
      return Promise.resolve({ id: { pid, started: '1' }, exited: new Promise(() => undefined) });
    },
    isAlive: id => alive.has(id.pid),
    end: id => void alive.delete(id.pid),
    readText: () => '1',
    readJson: path => json.get(path),
    writeJson: (path, value) => void json.set(path, value),
    newFolder: () => `/run/f-${++folders}`,
    listFolder: () => [...files].filter(path => path.startsWith('/run/')).map(path => path.slice(5)),
    removeTree: path => {
      if (mounted.has(`${path}/disk`)) throw new Error('EBUSY');
      files.delete(path);
    },
    removeEmptyFolder: path => {
      if (![...files].some(file => file.startsWith(`${path}/`))) files.delete(path);
    },
    writeBytes: () => undefined,
    log: line => void ran.push(line),
    runTool: async (command, args, { onOutput }) => {
      if (command.includes('mount')) {
        ran.push([command, ...args].join(' '));
        mounted.delete(args.at(-1) ?? '');
        return { code: 0, stdout: '', stderr: '' };
      }
      await listing;
      if (!args.includes('-tExt')) return { code: 2, stdout: '', stderr: '' };
      onOutput?.('Path = a.txt\nSize = 3\nMode = -rw\n\n');
      return { code: 0, stdout: '', stderr: '' };
    },
    runToFile: async (_, __, { path }) => {
      if (files.has(path)) throw new Error('EEXIST');
      await copying;
      files.add(path);
      return { code: 0, stderr: '', bytes: 3, isMore: false };
    },
    files: {
      exists: path => files.has(path),
      real: path => (path === '/link' ? '/out' : path),
      freeBytes: () => 2 ** 40,
      moveInto: async (from, to) => {
        files.delete(from);
        files.add(to);
      },
      remove: path => void files.delete(path),
      unfinished: { begin: () => undefined, end: () => undefined } as never,
    },
    exportsFolder: () => '/exports',
    makeFolder: path => void files.add(path),
  };
}

const codeOf = (work: () => unknown): string => {
  try {
    work();
    return 'done';
  } catch (cause) {
    return cause instanceof Fault ? cause.body.code : String(cause);
  }
};

beforeEach(() => {
  files = new Set(['/exports', '/out']);
  mounted = new Set();
  alive = new Set();
  ran = [];
  [listing, copying] = [Promise.resolve(), Promise.resolve()];
  desk = new PointFiles(ports());
});

describe('points that are looked into', () => {
  it('are counted together, listed or copied of, and not longer than that takes', async () => {
    const { promise, resolve } = Promise.withResolvers<void>();
    listing = promise;
    const plan = () => desk.plan({ ...wanted, folder: '/out' }, 'p', 'day', anywhere);
    const begun = [
      desk.list(where, ''),
      desk.list(where, ''),
      desk.copy(plan(), run),
      desk.copy(plan(), run),
    ];
    expect(codeOf(plan)).toBe('limit.reached');
    await expect(desk.list(where, '')).rejects.toMatchObject({ body: { code: 'limit.reached' } });
    resolve();
    await Promise.all(begun);
    expect((await desk.list(where, '')).entries).toHaveLength(1);
  });
});

describe('copies at once', () => {
  it('planned before either began have a folder each', async () => {
    const plans = [1, 2].map(() => desk.plan({ ...wanted, folder: null }, 'p', 'day', anywhere));
    expect(plans.map(({ folder }) => folder)).toEqual([
      '/exports/dev p day files',
      '/exports/dev p day files 2',
    ]);
    await Promise.all(plans.map(plan => desk.copy(plan, run)));
    for (const { folder } of plans) expect(files.has(`${folder}/a.txt`)).toBe(true);
  });

  it('of files of one name into one folder, whatever it is called by, have a name each', async () => {
    const { promise, resolve } = Promise.withResolvers<void>();
    copying = promise;
    const copies = ['/out', '/link', '/out'].map(folder =>
      desk.copy(desk.plan({ ...wanted, folder }, 'p', 'day', anywhere), run),
    );
    for (let turn = 0; turn < 200; turn++) await Promise.resolve();
    resolve();
    await Promise.all(copies);
    expect([...files].filter(path => path.startsWith('/out/')).sort()).toEqual([
      '/out/a 2.txt',
      '/out/a 3.txt',
      '/out/a.txt',
    ]);
  });

  it('that copied nothing, or may not, leave no folder', async () => {
    const none = desk.plan({ ...wanted, paths: ['b.txt'], folder: null }, 'p', 'day', anywhere);
    await expect(desk.copy(none, run)).rejects.toMatchObject({ body: { code: 'file.unreadable' } });
    const refuse = (): void => {
      throw new Error('policy');
    };
    expect(codeOf(() => desk.plan({ ...wanted, folder: null }, 'p', 'day', refuse))).toContain('policy');
    expect([...files]).toEqual(['/exports', '/out']);
  });
});

describe('what is left over', () => {
  it('of a daemon that was killed: unmounted, then removed', async () => {
    copying = Promise.resolve().then(() => {
      for (const folder of ['/run/f-1', '/run/f-2']) mounted.add(`${folder}/disk`);
    });
    await desk.copy(desk.plan({ ...wanted, folder: '/out' }, 'p', 'day', anywhere), run);
    expect(ran).toContain('/bin/fusermount3 -u -z /run/f-2/disk');
    expect(alive.size).toBe(0);
  });

  it('of a control that died: folders, mounts and a daemon nobody ends are gone; the rest is not touched', async () => {
    files.add('/run/f-9').add('/run/f-8').add('/run/vm-1');
    mounted.add('/run/f-9/disk');
    await desk.sweep('/run');
    expect([...files]).toEqual(['/exports', '/out', '/run/vm-1']);
    expect([...mounted]).toEqual([]);
  });
});
