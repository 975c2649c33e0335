// The desk: looks often enough, keeps what files last said, and is never stopped by what it finds. The clock moves when told.
import { expect, it } from 'vitest';
import { PolicyDesk } from '../../../../electron/control/policy/desk.ts';
import { type LastGood, type LayerFolder, lastGoodOf } from '../../../../electron/control/policy/reading.ts';
import { foldersOf, policyText } from '../../../support/policies.ts';

const A = policyText({ 'vm.running': { max: 2 } });
const PATH = '/p/managed/a.json';

function deskOver(first: LayerFolder[], kept: LastGood = {}) {
  const world = {
    folders: first,
    kept,
    log: [] as string[],
    told: 0,
    look: (): void => undefined,
    everyMs: 0,
  };
  const desk = new PolicyDesk({
    clock: {
      wallMs: () => 0,
      monotonicMs: () => 0,
      after: () => ({ cancel: () => undefined }),
      every: (ms, run) => {
        world.everyMs = ms;
        world.look = run;
        return { cancel: () => undefined };
      },
    },
    look: () => {
      if (world.folders.length === 0) throw new Error('the disk is away');
      return world.folders;
    },
    lastGood: {
      read: () => world.kept,
      write: texts => {
        world.kept = texts;
      },
    },
    user: () => ({}),
    defaults: () => ({}),
    log: line => void world.log.push(line),
  });
  desk.onChange(() => {
    world.told += 1;
  });
  desk.begin();
  return { desk, world, running: () => desk.policy.most('vm.running') };
}
const broken = (problem: string): LayerFolder[] =>
  foldersOf({ 'managed/a.json': A }).map(folder => ({
    ...folder,
    files: folder.files.map(file => ({ ...file, text: null, problem })),
  }));

it('it is in force before anything is served, and a change within five seconds', () => {
  const { world, running } = deskOver(foldersOf({ 'managed/a.json': A }));
  expect(running()).toBe(2);
  expect(world.everyMs * 2).toBeLessThanOrEqual(5_000);
  world.folders = foldersOf({ 'managed/a.json': policyText({ 'vm.running': { max: 1 } }) });
  world.look();
  // Once when it begins, and once for the change.
  expect([running(), world.told]).toEqual([1, 2]);
  world.look();
  expect(world.told).toBe(2);
});

it('what a file last said is kept through trouble and through a restart, and goes with the file', () => {
  const { world, running } = deskOver(foldersOf({ 'managed/a.json': A }));
  world.folders = broken('it can be written by others');
  world.look();
  expect(running()).toBe(2);
  const next = deskOver(world.folders, world.kept);
  expect(next.running()).toBe(2);
  next.world.folders = foldersOf({});
  next.world.look();
  expect([next.running(), next.world.kept]).toEqual([null, {}]);
});

it('what permits is not taken from where who is restrained can write: a folder of his own, or what was kept', () => {
  const folders = foldersOf({ 'managed/a.json': policyText({ 'headless.network': { value: true } }) });
  const { desk, world } = deskOver(folders);
  const may = (of = desk): boolean => of.policy.may('headless.network');
  expect(may()).toBe(true);
  const away = folders.map(folder => ({ ...folder, problem: 'it cannot be read (EIO)', files: [] }));
  for (const trouble of [broken('it cannot be read (EIO)'), away, broken('again')]) {
    world.folders = trouble;
    world.look();
    expect(may()).toBe(true);
    const next = deskOver(trouble, world.kept);
    expect(may(next.desk)).toBe(false);
    next.world.folders = folders;
    next.world.look();
    expect(may(next.desk)).toBe(true);
  }
  const own = deskOver(folders.map(folder => ({ ...folder, isOwn: true })));
  expect(may(own.desk)).toBe(false);
  expect(own.desk.policy.keys['headless.network'].conflicts[0]).toMatch(
    /a\.json:\d+ permits it, .*administrator/,
  );
});

it('a folder that is not trusted any more says what its files last said; one that was never read says nothing', () => {
  const { world, running, desk } = deskOver(foldersOf({ 'managed/a.json': A }));
  world.folders = foldersOf({}).map(folder => ({ ...folder, problem: 'it can be written by others' }));
  world.look();
  expect(running()).toBe(2);
  expect(desk.report().files.map(({ path, state }) => [path, state])).toContainEqual([PATH, 'last-good']);
  expect(deskOver(world.folders).running()).toBeNull();
});

it('a file with one bad rule: what it said before is whole, without a before what can be understood', () => {
  const bad = policyText({ 'vm.running': { max: 'two' }, 'vm.count': { max: 5 } });
  const fresh = deskOver(foldersOf({ 'managed/a.json': bad }));
  expect([fresh.running(), fresh.desk.policy.most('vm.count')]).toEqual([null, 5]);
  expect(fresh.desk.report().files[0]?.state).toBe('in-part');
  const { world, running, desk } = deskOver(foldersOf({ 'managed/a.json': A }));
  world.folders = foldersOf({ 'managed/a.json': bad });
  world.look();
  expect([running(), desk.policy.most('vm.count')]).toEqual([2, null]);
});

it('whatever a look throws, what was in force stays and is said, and it looks again', () => {
  const { world, running } = deskOver(foldersOf({ 'managed/a.json': A }));
  world.folders = [];
  world.look();
  expect(running()).toBe(2);
  expect(world.log.at(-1)).toContain('the disk is away; what was in force stays');
});

it('what was kept and cannot be read is nothing', () => {
  for (const kept of [undefined, null, 7, [], { [PATH]: 3 }]) expect(lastGoodOf(kept)).toEqual({});
  expect(lastGoodOf({ [PATH]: A })).toEqual({ [PATH]: A });
});
