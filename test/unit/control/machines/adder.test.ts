// Bringing a stranger's folder in, with real files: whole or not at all, without the zeros.
import {
  closeSync,
  ftruncateSync,
  mkdirSync,
  mkdtempSync,
  openSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  symlinkSync,
  writeFileSync,
  writeSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, it } from 'vitest';
import { Adder, type AdderPorts, type PlannedAdd } from '../../../../electron/control/machines/adder.ts';
import { arrivals } from '../../../../electron/control/machines/arrivals.ts';
import type { TaskRun } from '../../../../electron/control/tasks/tasks.ts';
import { treeOf } from '../../../../electron/platform/copy-tree.ts';
import { makeVm } from '../../../support/fake-world.ts';
import { randomBytes } from '../../../support/seeded.ts';

const MIB = 2 ** 20;
const ID = '00000000-0000-4000-8000-000000000001';
const FILE = `disks/${ID}/${ID}.vhd`;
const { spec } = makeVm({ name: 'dev', os: 'linux', phase: 'off', min: 1, max: 2 }, 1e13).summary;

let folder: string;
let taken: string[];
const at = (...names: string[]): string => join(folder, ...names);
const inTrash = (): string[] => readdirSync(at('data', 'trash'));

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'ebb-add-'));
  taken = [];
  mkdirSync(at('away', 'disks', ID), { recursive: true });
  mkdirSync(at('data'));
  writeFileSync(at('away', 'timeline.db'), 'rows');
  writeFileSync(at('away', 'run.json'), '{}');
  const fd = openSync(at('away', FILE), 'w');
  ftruncateSync(fd, 32 * MIB);
  writeSync(fd, randomBytes(MIB, 1), 0, MIB, 5 * MIB);
  closeSync(fd);
});
afterEach(() => rmSync(folder, { recursive: true, force: true }));

const planned = (moves: boolean): PlannedAdd => ({
  ...{ path: at('away'), spec, moves },
  files: treeOf(at('away'), 100).files,
});
const runWith = (signal: AbortSignal, step: TaskRun['step'] = () => undefined): TaskRun =>
  ({ signal, step }) as Partial<TaskRun> as TaskRun;
const adder = (): Adder =>
  new Adder({
    arrivals: arrivals(at('data')),
    deleted: { takeBack: (vmId: string) => Promise.resolve(taken.push(vmId)) },
    log: () => undefined,
  } as unknown as AdderPorts);

it('T16: a copy has the same bytes and takes no room for zeros; the original stays', async () => {
  await adder().add(planned(false), runWith(AbortSignal.any([])));
  const [name = '', ...more] = inTrash();
  expect([name.startsWith(`${spec.id}-`), more, taken]).toEqual([true, [], [spec.id]]);
  const copy = at('data', 'trash', name, FILE);
  expect(readFileSync(copy).equals(readFileSync(at('away', FILE)))).toBe(true);
  expect(statSync(copy).blocks * 512).toBeLessThan(4 * MIB);
  expect(readdirSync(at('data', 'trash', name)).sort()).toEqual(['disks', 'timeline.db', 'vm.json']);
  expect(readdirSync(at('away')).sort()).toEqual(['disks', 'run.json', 'timeline.db']);
});

it('moved, it has its settings and no run record before it leaves', async () => {
  await adder().add(planned(true), runWith(AbortSignal.any([])));
  const [name = ''] = inTrash();
  expect(readdirSync(folder)).toEqual(['data']);
  expect(readdirSync(at('data', 'trash', name)).sort()).toEqual(['disks', 'timeline.db', 'vm.json']);
});

it('cancelled, it leaves nothing', async () => {
  const abort = new AbortController();
  const run = runWith(abort.signal, (_, bytes) => {
    if ((bytes?.done ?? 0) > 0) abort.abort();
  });
  await expect(adder().add(planned(false), run)).rejects.toMatchObject({ name: 'AbortError' });
  expect([inTrash(), taken]).toEqual([[], []]);
  expect(readdirSync(at('away')).sort()).toEqual(['disks', 'run.json', 'timeline.db']);
});

it('follows no link, and looks at no more than it must', () => {
  symlinkSync('/', at('away', 'disks', 'root'));
  expect(treeOf(at('away'), 100).odd).toBe('disks/root');
  rmSync(at('away', 'disks', 'root'));
  expect(treeOf(at('away'), 100).odd).toBeNull();
  expect(treeOf(at('away'), 2).odd).not.toBeNull();
});
