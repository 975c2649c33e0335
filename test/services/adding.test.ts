// The folder of a VM becomes a VM of another Ebb, copied or moved, with the same points; what is hostile or half-done is
// refused, and left as it was. No guest runs.
import { spawnSync } from 'node:child_process';
import {
  cpSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest';
import { startedAt } from '../../electron/platform/lock-owner.ts';
import type { DiskId, PointId, VmId } from '../../shared/ids.ts';
import { Ebb } from '../support/ebb.ts';
import { randomBytes } from '../support/seeded.ts';

// Services are started here: on a loaded machine that takes seconds. This only ends a hang.
vi.setConfig({ testTimeout: 300_000, hookTimeout: 300_000 });

const BYTES = 4 * 2 ** 20;

let here: Ebb;
let elsewhere: string;
let vmId: VmId;
let diskId: DiskId;
let original: Awaited<ReturnType<typeof told>>;
let hashes: string[];

const told = async (ebb: Ebb) => {
  const { spec } = await ebb.call('vm.get', { vmId });
  const { moments } = await ebb.call('timeline.get', { vmId });
  const points = moments.map(({ name, note, takenAt, points: of }) => ({ name, note, takenAt, of }));
  return { spec, points };
};
const hashesIn = (ebb: Ebb, points: readonly { readonly pointId: PointId }[]): Promise<string[]> =>
  Promise.all(points.map(({ pointId }) => ebb.hashPoint(vmId, diskId, pointId, BYTES)));
const pointsOf = ({ points }: typeof original) => points.flatMap(({ of }) => of);
const add = async (path: string, move = false) => {
  const begun = await here.call('vm.add', { path, move });
  await here.done(begun.taskId);
  return begun;
};
const refusal = (path: string, move = false): Promise<string> =>
  add(path, move).then(
    () => 'added',
    (fault: { readonly body: { readonly code: string } }) => fault.body.code,
  );
/** A copy of the VM's folder, to be changed. */
let copies = 0;
const copyOf = (change: (path: string) => void): string => {
  const path = join(elsewhere, `copy-${++copies}`);
  cpSync(join(elsewhere, 'vm'), path, { recursive: true });
  change(path);
  return path;
};
const namesBelow = (path: string): string[] =>
  readdirSync(path, { recursive: true, encoding: 'utf8' }).sort();
const forget = async (): Promise<void> => {
  await here.done((await here.call('vm.delete', { vmId })).taskId);
  for (const name of readdirSync(join(here.paths.dataFolder, 'trash')))
    rmSync(join(here.paths.dataFolder, 'trash', name), { recursive: true });
};

beforeAll(async () => {
  elsewhere = mkdtempSync(join(tmpdir(), 'ebb-away-'));
  const there = await Ebb.start();
  const image = join(elsewhere, 'source.img');
  writeFileSync(image, randomBytes(BYTES, 7));
  const { file } = await there.call('file.register', { path: image });
  const made = await there.call('vm.create', {
    ...{ name: 'traveller', os: 'linux', cpus: 1, minKib: 128 * 1024, maxKib: 256 * 1024 },
    ...{ notes: 'mine', portForwards: [{ protocol: 'tcp', hostPort: 45_678, guestPort: 22 }] },
    source: { kind: 'disk', file, format: 'raw' },
  });
  await there.done(made.taskId);
  vmId = made.vmId;
  await there.call('moment.take', { vmId, name: 'before leaving', note: 'a note' });
  await there.settled(vmId);
  original = await told(there);
  diskId = original.spec.disks[0]?.id as DiskId;
  hashes = await hashesIn(there, pointsOf(original));
  const home = join(there.paths.dataFolder, 'vms', vmId);
  here = await Ebb.start();
  // Open there, it is not taken.
  expect(await refusal(home)).toBe('disk.owned-elsewhere');
  const { dataFolder } = there.paths;
  await there.quit();
  cpSync(join(dataFolder, 'vms', vmId), join(elsewhere, 'vm'), { recursive: true });
  rmSync(dataFolder, { recursive: true, force: true });
  rmSync(there.paths.runFolder, { recursive: true, force: true });
});
afterAll(async () => {
  await here?.dispose();
  rmSync(elsewhere, { recursive: true, force: true });
});

describe('a folder of another Ebb', () => {
  it('is copied, with the same points and settings, and stays as it was', async () => {
    const [path, before] = [join(elsewhere, 'vm'), namesBelow(join(elsewhere, 'vm'))];
    expect(await add(path)).toMatchObject({ vmId, isCopied: true });
    expect(await told(here)).toEqual(original);
    expect(await hashesIn(here, pointsOf(original))).toEqual(hashes);
    await here.done((await here.call('vm.verify', { vmId })).taskId);
    expect((await here.call('vm.verify-report', { vmId })).report).toMatchObject({
      state: 'done',
      damages: [],
    });
    expect(namesBelow(path)).toEqual(before);
    expect(await here.call('vm.trashed', {})).toEqual({ vms: [] });
    // The same VM twice would be two of one: that is what clones are for.
    expect(await refusal(path)).toBe('vm.wrong-state');
    await forget();
  });

  it('is moved when the person says so; its name and ports give way to those that are here', async () => {
    const port = { protocol: 'tcp', hostPort: 45_678, guestPort: 80 } as const;
    const other = await here.createSample('Traveller');
    await here.call('vm.configure', { vmId: other.vmId, change: { portForwards: [port] } });
    const path = copyOf(() => undefined);
    expect(await add(path, true)).toMatchObject({ isCopied: false });
    expect(existsSync(path)).toBe(false);
    const { spec, points } = await told(here);
    expect(spec).toEqual({ ...original.spec, name: 'traveller 2', portForwards: [] });
    expect(points).toEqual(original.points);
    await forget();
  });

  it('brings no arguments of QEMU: saved memory and its machine stay where they are', async () => {
    const [moment = ''] = pointsOf(original).map(({ pointId }) => pointId);
    const machine = { bootKib: 1024, accelerator: 'tcg', hasBalloon: false };
    const record = { ...machine, argv: ['-device', 'evil'], folders: { home: '/x', run: '/x' } };
    const kept = { consistency: 'memory', memoryBytes: 6, hasScreen: false, spec: original.spec, record };
    const json = `moments/${moment}/moment.json`;
    const path = copyOf(folder => {
      mkdirSync(join(folder, 'moments', moment), { recursive: true });
      writeFileSync(join(folder, 'moments', moment, 'memory'), 'memory');
      writeFileSync(join(folder, json), JSON.stringify(kept));
      writeFileSync(join(folder, 'run.json'), JSON.stringify(record));
      writeFileSync(join(folder, 'notes.txt'), 'mine');
    });
    expect(await refusal(path, true)).toBe('import.refused');
    await add(path);
    const home = join(here.paths.dataFolder, 'vms', vmId);
    for (const name of [`moments/${moment}/memory`, 'run.json', 'notes.txt'])
      expect(existsSync(join(home, name)), name).toBe(false);
    expect(JSON.parse(readFileSync(join(home, json), 'utf8'))).toMatchObject({
      ...{ record: null, memoryBytes: null, consistency: 'crash' },
    });
    // A machine without its memory is no reason to run it either.
    rmSync(join(path, 'moments', moment, 'memory'));
    rmSync(join(path, 'notes.txt'));
    await forget();
    expect(await refusal(path, true)).toBe('import.refused');
  });

  const json = (path: string, change: (text: string) => string): void =>
    writeFileSync(join(path, 'vm.json'), change(readFileSync(join(path, 'vm.json'), 'utf8')));
  it.each<[string, string, (path: string) => void]>([
    ['has no vm.json', 'import.bad-format', path => rmSync(join(path, 'vm.json'))],
    [
      'is of another version',
      'import.refused',
      path => json(path, text => text.replace('"version":1', '"version":9')),
    ],
    [
      'has a hostile vm.json',
      'import.bad-format',
      path => json(path, text => text.replace('traveller', 'x,y=z')),
    ],
    [
      'has a vm.json that is a pipe',
      'import.bad-format',
      path => {
        rmSync(join(path, 'vm.json'));
        spawnSync('mkfifo', [join(path, 'vm.json')]);
      },
    ],
    ['has a link in it', 'import.refused', path => symlinkSync('/etc/passwd', join(path, 'uefi-vars.fd'))],
    ['lacks a disk', 'import.refused', path => rmSync(join(path, 'disks'), { recursive: true })],
    [
      'has a disk too many',
      'import.refused',
      path => cpSync(join(path, 'disks', diskId), join(path, 'disks', vmId), { recursive: true }),
    ],
    [
      'is suspended',
      'import.refused',
      path => {
        mkdirSync(join(path, 'suspended'));
        writeFileSync(join(path, 'suspended', 'record.json'), '{}');
      },
    ],
    ['is half-made', 'import.refused', path => writeFileSync(join(path, '.making'), '{}')],
    [
      'is open',
      'disk.owned-elsewhere',
      path =>
        writeFileSync(
          join(path, '.lock'),
          JSON.stringify({ pid: process.pid, started: startedAt(process.pid) }),
        ),
    ],
  ])('that %s is refused with %s, and nothing is left of it', async (_, code, change) => {
    const path = copyOf(change);
    const before = namesBelow(path);
    for (const move of [false, true]) expect(await refusal(path, move)).toBe(code);
    expect(namesBelow(path)).toEqual(before);
    expect(readdirSync(join(here.paths.dataFolder, 'trash'))).toEqual([]);
    expect((await here.call('vm.list', {})).vms.map(({ spec }) => spec.name)).toEqual(['Traveller']);
  });

  it('is nothing of this data folder', async () => {
    expect(await refusal(here.paths.dataFolder)).toBe('import.refused');
    expect(await refusal(join(here.paths.dataFolder, 'vms'))).toBe('import.refused');
  });

  it('half copied when control died is swept away by the next', async () => {
    const half = join(here.paths.dataFolder, 'trash', `.arriving-${vmId}-5`);
    await here.killControl(() => {
      mkdirSync(half, { recursive: true });
      writeFileSync(join(half, 'vm.json'), '{}');
    });
    await vi.waitFor(() => expect(existsSync(half)).toBe(false));
  });
});
