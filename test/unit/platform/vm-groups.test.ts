// cgroups of our own: had where they may be, refused with a reason elsewhere, and never half.
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { cpuQuotaUs, type GroupFiles, systemFiles, vmGroups } from '../../../electron/platform/vm-groups.ts';
import { FakeCgroups } from '../../support/fake-cgroups.ts';

const SCOPE = '/user.slice/user@1000.service/ebb.scope';
const EBB = 10;
const CLI = 11;
const QEMU = 20;
const ROOT = FakeCgroups.ROOT;
const groupsOf = (files: GroupFiles) => vmGroups({ files, root: ROOT, own: [EBB, CLI], processors: 4 });

describe('memory cgroups', () => {
  it('in a group of its own Ebb moves aside, and each QEMU has one', () => {
    const files = new FakeCgroups(SCOPE, [EBB, CLI]);
    const groups = groupsOf(files);
    expect(files.groupOf(EBB)).toBe(`${SCOPE}/ebb-service`);
    expect(files.groupOf(CLI)).toBe(`${SCOPE}/ebb-service`);
    files.groups.get(`${SCOPE}/ebb-service`)?.procs.add(QEMU);
    const group = groups.enter('one', QEMU);
    expect(files.groupOf(QEMU)).toBe(`${SCOPE}/ebb-vm-one`);
    group?.setHighKib(1024);
    expect(files.high(`${SCOPE}/ebb-vm-one`)).toBe('1048576');
    group?.setHighKib(null);
    expect(files.high(`${SCOPE}/ebb-vm-one`)).toBe('max');
    expect(groups.found).toContain('memory.high');
    // Not while anything runs in it.
    group?.remove();
    expect(files.groups.has(`${SCOPE}/ebb-vm-one`)).toBe(true);
    files.groups.get(`${SCOPE}/ebb-vm-one`)?.procs.clear();
    group?.remove();
    expect(files.groups.has(`${SCOPE}/ebb-vm-one`)).toBe(false);
  });

  it('M9: another control finds a QEMU where the last one put it, also when it was started elsewhere', () => {
    const files = new FakeCgroups(SCOPE, [EBB]);
    files.groups.get(SCOPE)?.procs.add(QEMU);
    expect(
      vmGroups({ files, root: ROOT, own: [EBB, QEMU], processors: 4 }).enter('one', QEMU),
    ).not.toBeNull();
    files.groups.set('/terminal.scope', { procs: new Set([30, 31]), subtree: '', high: 'max', cpu: '' });
    const later = vmGroups({ files, root: ROOT, own: [30], processors: 4 });
    expect(later.found).toContain('Other programs');
    later.enter('one', QEMU)?.setHighKib(2048);
    expect(files.high(`${SCOPE}/ebb-vm-one`)).toBe(String(2048 * 1024));
    expect(later.enter('two', 31)).toBeNull();
    // And in the same group it is divided already.
    const again = vmGroups({ files, root: ROOT, own: [EBB], processors: 4 });
    expect(again.found).toContain('memory.high');
    expect(again.enter('one', QEMU)).not.toBeNull();
  });

  it.each<[string, FakeCgroups | GroupFiles, string]>([
    ['others live in its group', new FakeCgroups(SCOPE, [EBB, 99]), 'Other programs'],
    ['memory is not delegated', new FakeCgroups(SCOPE, [EBB], 'pids'), 'may not limit memory'],
    [
      'it may not write there',
      Object.assign(new FakeCgroups(SCOPE, [EBB]), { isReadOnly: true }),
      'may not divide its own cgroup (EACCES',
    ],
    [
      'cgroups are of version 1',
      {
        read: path => (path === `/proc/${EBB}/cgroup` ? '9:memory:/x\n0::/\n' : null),
        write: () => expect.unreachable(),
        makeFolder: () => expect.unreachable(),
        removeFolder: () => expect.unreachable(),
      },
      'no cgroups of version 2',
    ],
  ])('where %s it says so and changes nothing', (_, files, why) => {
    const groups = groupsOf(files);
    expect(groups.found).toContain(why);
    expect(groups.enter('one', QEMU)).toBeNull();
    if (!(files instanceof FakeCgroups)) return;
    expect([...files.groups.keys()]).toEqual(['', SCOPE]);
    expect(files.groupOf(EBB)).toBe(SCOPE);
  });

  it('a share of the processors is held beside memory, is changed while it runs, and goes', () => {
    const files = new FakeCgroups(SCOPE, [EBB]);
    const groups = groupsOf(files);
    expect(groups.cpu).toEqual({ isHeld: true });
    const group = groups.enter('one', QEMU);
    const max = (): string | undefined => files.cpu(`${SCOPE}/ebb-vm-one`);
    for (const [percent, quota] of [
      [50, '200000 100000'],
      [1, '4000 100000'],
      [null, 'max 100000'],
    ] as const) {
      group?.setCpuPercent(percent);
      expect(max()).toBe(quota);
    }
    expect(cpuQuotaUs(1, 0)).toBe(1_000);
  });

  it.each<[string, FakeCgroups, string, string]>([
    [
      'only memory is given',
      new FakeCgroups(SCOPE, [EBB], 'memory'),
      'may not limit processors',
      'systemd-run',
    ],
    ['others live in its group', new FakeCgroups(SCOPE, [EBB, 99]), 'Other programs', 'systemd-run'],
  ])(
    'where %s no share of the processors is held, and it is said why and what to do',
    (_, files, why, todo) => {
      const { cpu } = groupsOf(files);
      expect(cpu).toMatchObject({ isHeld: false, why: expect.stringContaining(why) });
      expect('todo' in cpu && cpu.todo).toContain(todo);
    },
  );

  it('processors alone are held where memory is not given, and a group divided for memory before is for both', () => {
    const files = new FakeCgroups(SCOPE, [EBB], 'cpu pids');
    const groups = groupsOf(files);
    expect([groups.cpu.isHeld, groups.found]).toEqual([
      true,
      expect.stringContaining('may not limit memory'),
    ]);
    groups.enter('one', QEMU)?.setCpuPercent(10);
    expect(files.cpu(`${SCOPE}/ebb-vm-one`)).toBe('40000 100000');
    const old = new FakeCgroups(SCOPE, []);
    old.groups.set(`${SCOPE}/ebb-service`, { procs: new Set([EBB]), subtree: '', high: 'max', cpu: '' });
    old.write(`${ROOT}${SCOPE}/cgroup.subtree_control`, '+memory');
    expect(groupsOf(old).cpu.isHeld).toBe(true);
    expect(old.groups.get(SCOPE)?.subtree).toBe('memory cpu');
  });

  it.each([
    ['cpu', 'memory'],
    ['memory', 'cpu'],
  ] as const)('M9: where %s is refused, %s is held all the same, and it is said why not', (refused, held) => {
    const files = Object.assign(new FakeCgroups(SCOPE, [EBB]), { refused });
    const groups = groupsOf(files);
    expect(files.groups.get(SCOPE)?.subtree).toBe(held);
    const group = groups.enter('one', QEMU);
    const said = `may not limit ${refused === 'cpu' ? 'processors' : 'memory'} (EBUSY`;
    if (refused === 'cpu') {
      group?.setHighKib(1024);
      expect(files.high(`${SCOPE}/ebb-vm-one`)).toBe('1048576');
      expect(groups.found).toContain('keeps each VM');
      expect(groups.cpu).toMatchObject({ isHeld: false, why: expect.stringContaining(said) });
    } else {
      group?.setCpuPercent(10);
      expect(files.cpu(`${SCOPE}/ebb-vm-one`)).toBe('40000 100000');
      expect([groups.cpu.isHeld, groups.found]).toEqual([true, expect.stringContaining(said)]);
    }
  });

  it('a group that turns out not to be divisible is left as it was', () => {
    const files = new FakeCgroups(SCOPE, [EBB]);
    const write = files.write.bind(files);
    files.write = (path, text) => {
      if (path.endsWith('subtree_control')) throw new Error('EOPNOTSUPP');
      write(path, text);
    };
    expect(groupsOf(files).found).toContain('EOPNOTSUPP');
    expect([...files.groups.keys()]).toEqual(['', SCOPE]);
    expect(files.groupOf(EBB)).toBe(SCOPE);
  });

  it('writes real files as the kernel wants them', () => {
    const root = mkdtempSync(join(tmpdir(), 'ebb-cg-'));
    try {
      const scope = join(root, 'a.scope');
      mkdirSync(scope);
      for (const folder of [root, scope]) writeFileSync(join(folder, 'cgroup.controllers'), 'cpu memory\n');
      writeFileSync(join(scope, 'cgroup.procs'), `${EBB}\n`);
      writeFileSync(join(scope, 'cgroup.subtree_control'), '\n');
      const files: GroupFiles = {
        ...systemFiles,
        read: path =>
          path.startsWith('/proc/')
            ? path.includes(`/${EBB}/`)
              ? '0::/a.scope\n'
              : null
            : systemFiles.read(path),
      };
      const groups = vmGroups({ files, root, own: [EBB], processors: 4 });
      groups.enter('one', QEMU)?.setHighKib(512 * 1024);
      const text = (path: string): string => readFileSync(join(scope, path), 'latin1');
      // One word a write; a plain file keeps the last.
      expect(text('cgroup.subtree_control')).toBe('+cpu');
      expect(text('ebb-service/cgroup.procs')).toBe(String(EBB));
      expect(text('ebb-vm-one/cgroup.procs')).toBe(String(QEMU));
      expect(text('ebb-vm-one/memory.high')).toBe('536870912');
      groups.enter('one', QEMU)?.setCpuPercent(25);
      expect(text('ebb-vm-one/cpu.max')).toBe('100000 100000');
    } finally {
      rmSync(root, { recursive: true });
    }
  });
});
