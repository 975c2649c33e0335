// What changes between being asked and being done: policy loaded meanwhile, journals edited by hand, memory saved under
// other rules, and VMs that run while limits come and go.
import { mkdirSync, mkdtempSync, rmSync, symlinkSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, describe, expect, it } from 'vitest';
import { OrderRules } from '../../../../electron/control/policy/order-rules.ts';
import type { Policy } from '../../../../electron/control/policy/policy.ts';
import {
  boundSpec,
  requireNew,
  requireStart,
  wantedRange,
} from '../../../../electron/control/policy/vm-rules.ts';
import { type Order, type OrderParts, workAgain } from '../../../../electron/control/tasks/task-orders.ts';
import type { TaskRun } from '../../../../electron/control/tasks/tasks.ts';
import { realFolder } from '../../../../electron/platform/policy-files.ts';
import { Fault } from '../../../../shared/result.ts';
import { MIB, specOf, uuid, World } from '../../../support/memory-world.ts';
import { managed, type Settings, unrestricted } from '../../../support/policies.ts';

const top = mkdtempSync(join(tmpdir(), 'ebb-races-'));
const [images, elsewhere] = [join(top, 'images'), join(top, 'elsewhere')];
for (const folder of [images, elsewhere, join(top, 'exports'), join(top, 'uploads')]) mkdirSync(folder);
afterAll(() => rmSync(top, { recursive: true, force: true }));

function keyDenied(work: () => unknown): string | null {
  try {
    work();
    return null;
  } catch (error) {
    if (!(error instanceof Fault) || error.body.code !== 'policy.denied') throw error;
    return String(error.body.data?.key);
  }
}

function rulesUnder(first: Policy) {
  const world = { policy: first };
  const rules = new OrderRules({
    policy: () => world.policy,
    real: realFolder,
    uploadFolder: join(top, 'uploads'),
    exportsFolder: join(top, 'exports'),
  });
  return { world, rules };
}

const file = (path: string) => ({ path, name: 'x', bytes: 1, modifiedMs: 0 });
const exportTo = (path: string, format: 'vhd' | 'qcow2' = 'vhd'): Order =>
  ({ what: 'export', vmId: uuid(1), pointId: uuid(2), format, path }) as unknown as Order;
const createFrom = (path: string): Order => ({
  what: 'create',
  spec: specOf(1),
  image: null,
  cloudInit: null,
  source: { kind: 'iso', file: file(path), diskBytes: 1 },
});

const insert = (path: string): Order => ({
  what: 'insert',
  vmId: uuid(1),
  file: file(path),
  discId: uuid(2),
});

describe('an order', () => {
  it.each([
    [insert(join(elsewhere, 'a.iso')), { 'import.folders': { allowed: [images] } }, 'import.folders'],
    [insert(join(images, 'a.iso')), { 'vm.sources': { allowed: ['empty'] } }, 'vm.sources'],
    [insert(join(top, 'uploads', 'a.iso')), { 'import.uploads': { value: false } }, 'import.uploads'],
    [
      insert(join(images, 'a.iso')),
      { 'vm.create': { value: false }, 'vm.sources': { allowed: ['iso'] } },
      null,
    ],
    [createFrom(join(elsewhere, 'a.iso')), { 'import.folders': { allowed: [images] } }, 'import.folders'],
    [createFrom(join(images, 'a.iso')), { 'import.folders': { allowed: [images] } }, null],
    [
      createFrom(join(images, '..', 'elsewhere', 'a.iso')),
      { 'import.folders': { allowed: [images] } },
      'import.folders',
    ],
    [createFrom(join(images, 'a.iso')), { 'vm.sources': { allowed: ['empty'] } }, 'vm.sources'],
    [createFrom(join(images, 'a.iso')), { 'vm.create': { value: false } }, 'vm.create'],
    [createFrom(join(top, 'uploads', 'a.iso')), { 'import.uploads': { value: false } }, 'import.uploads'],
    [createFrom(join(top, 'uploads', 'a.iso')), { 'import.folders': { allowed: [images] } }, null],
    [exportTo(join(elsewhere, 'a.vhd')), { 'export.folders': { allowed: [images] } }, 'export.folders'],
    [
      exportTo(join(images, '..', 'elsewhere', 'a.vhd')),
      { 'export.folders': { allowed: [images] } },
      'export.folders',
    ],
    [
      exportTo(join(top, 'exports', 'a.vhd')),
      { 'export.folders': { allowed: [] }, 'export.formats': { allowed: [] } },
      null,
    ],
    [
      exportTo(join(top, 'exports', 'a.qcow2'), 'qcow2'),
      { 'export.formats': { allowed: ['vhd'] } },
      'export.formats',
    ],
  ] as const)('%#: is refused by its key', (order, settings, key) => {
    const { rules } = rulesUnder(managed(settings as unknown as Settings));
    expect(keyDenied(() => rules.require(order))).toBe(key);
    expect(keyDenied(() => rulesUnder(unrestricted).rules.require(order))).toBeNull();
  });

  it('through a link that leads out of an allowed folder is refused', () => {
    symlinkSync(elsewhere, join(images, 'link'));
    const { rules } = rulesUnder(managed({ 'export.folders': { allowed: [images] } }));
    expect(keyDenied(() => rules.require(exportTo(join(images, 'link', 'a.vhd'))))).toBe('export.folders');
    expect(keyDenied(() => rules.require(exportTo(join(images, 'a.vhd'))))).toBeNull();
  });

  it('that was allowed when it was made is refused when it begins under another policy, from a journal too', async () => {
    const { world, rules } = rulesUnder(unrestricted);
    const done: string[] = [];
    const parts = {
      rules,
      machines: { create: () => Promise.resolve(void done.push('created')) },
      pointWriter: { write: () => Promise.resolve(void done.push('written')) },
    } as unknown as OrderParts;
    const run = {} as TaskRun;
    const journaled = JSON.parse(JSON.stringify(createFrom(join(images, 'a.iso'))));
    const work = workAgain(journaled, parts);
    await work?.(run);
    expect(done).toEqual(['created']);
    world.policy = managed({ 'vm.create': { value: false } });
    await expect(work?.(run)).rejects.toMatchObject({
      body: { code: 'policy.denied', data: { key: 'vm.create' } },
    });
    expect(done).toEqual(['created']);
  });
});

describe('a VM', () => {
  const saved = ['-smp', '4', '-netdev', 'user,id=net0,hostfwd=tcp:127.0.0.1:2222-:22'];

  it.each([
    [{ 'vm.cpus': { max: 2 } }, 'vm.cpus'],
    [{ 'network.modes': { allowed: [] } }, 'network.modes'],
    [{ 'network.forwards': { value: false } }, 'network.forwards'],
    [{ 'vm.running': { max: 1 } }, 'vm.running'],
    [{ 'vm.cpus': { max: 4 }, 'network.modes': { allowed: ['user'] }, 'vm.running': { max: 2 } }, null],
  ] as const)('saved under other rules %j is not resumed around them', (settings, key) => {
    expect(keyDenied(() => requireStart(1, saved, managed(settings as unknown as Settings)))).toBe(key);
  });

  it('saved with a network backend this Ebb does not know, or one written into the record, is not resumed', () => {
    const policy = managed({ 'network.modes': { allowed: ['user'] } });
    for (const words of [
      ['-netdev', 'tap,id=n'],
      ['-nic', 'bridge'],
      ['-net', 'socket'],
    ])
      expect(keyDenied(() => requireStart(0, words, policy))).toBe('network.modes');
  });

  it('runs within every limit whatever its row in the database says, and its row stays', () => {
    const policy = managed({
      'memory.vm.max': { max: '1GiB' },
      'memory.vm.min': { min: '128MiB', max: '256MiB' },
      'memory.weight': { min: 50, max: 200 },
      'memory.optOut': { value: false },
      'vm.cpus': { max: 2 },
      'network.modes': { allowed: ['none'] },
      'network.forwards': { value: false },
    });
    const forward = { protocol: 'tcp', hostPort: 2222, guestPort: 22 } as const;
    const spec = {
      ...specOf(1, 512, 8192),
      weight: 9999,
      balanced: false,
      cpus: 64,
      network: 'user' as const,
      portForwards: [forward],
    };
    const before = structuredClone(spec);
    expect(boundSpec(spec, policy)).toMatchObject({
      minKib: 256 * MIB,
      maxKib: 1024 * MIB,
      weight: 200,
      balanced: true,
      cpus: 2,
      network: 'none',
      portForwards: [],
    });
    expect(spec).toEqual(before);
    expect(boundSpec(spec, unrestricted)).toEqual(spec);
    expect(boundSpec(specOf(2, 64, 96), policy)).toMatchObject({ minKib: 96 * MIB, maxKib: 96 * MIB });
  });

  it('to be made is refused by the key it breaks, also when it is finished under another policy', () => {
    const spec = { ...specOf(1, 256, 1024), disks: [{ id: uuid(9) as never, virtualBytes: 2 ** 30 }] };
    for (const [settings, key] of [
      [{ 'vm.count': { max: 3 } }, 'vm.count'],
      [{ 'disk.size': { max: '512MiB' } }, 'disk.size'],
      [{ 'memory.vm.max': { max: '512MiB' } }, 'memory.vm.max'],
      [{ 'memory.vm.min': { max: '128MiB' } }, 'memory.vm.min'],
    ] as const)
      expect(keyDenied(() => requireNew(spec, 3, managed(settings as unknown as Settings)))).toBe(key);
    expect(keyDenied(() => requireNew(spec, 3, unrestricted))).toBeNull();
  });

  it('keeps its own range where a limit holds it and only the other end is changed', () => {
    const policy = managed({ 'memory.vm.max': { max: '512MiB' } });
    const spec = specOf(1, 256, 1024);
    expect(wantedRange({ minKib: 128 * MIB, maxKib: 512 * MIB }, spec, policy)).toEqual({
      minKib: 128 * MIB,
      maxKib: 1024 * MIB,
    });
    expect(keyDenied(() => wantedRange({ minKib: 128 * MIB, maxKib: 768 * MIB }, spec, policy))).toBe(
      'memory.vm.max',
    );
  });
});

describe('M10: a VM that runs', () => {
  it.each(['demand', 'proportional'] as const)(
    'shrinks to a limit that comes, and grows when it goes (%s)',
    async mode => {
      const world = new World(4000 * MIB);
      world.manager.setPolicy({ mode });
      const spec = specOf(1, 256, 2048);
      await world.start(1, spec);
      expect(world.actual(1)).toBe(2048);
      world.manager.specChanged(boundSpec(spec, managed({ 'memory.vm.max': { max: '512MiB' } })));
      await world.run(12_000);
      expect(world.actual(1)).toBe(512);
      world.manager.specChanged(boundSpec(spec, unrestricted));
      await world.run(60_000);
      expect(world.actual(1)).toBeGreaterThan(1900);
    },
  );

  it('that waits for its memory while a limit comes starts within it; saved memory goes on as large as it was', async () => {
    const policy = managed({ 'memory.vm.max': { max: '512MiB' } });
    for (const [exactKib, bootMib] of [
      [undefined, 512],
      [1024 * MIB, 1024],
    ] as const) {
      const world = new World(4000 * MIB);
      const spec = specOf(1, 256, 2048);
      const signal = new AbortController().signal;
      const leasing = world.manager.lease({ spec, signal, ...(exactKib === undefined ? {} : { exactKib }) });
      world.manager.specChanged(boundSpec(spec, policy));
      await world.run(500);
      expect((await leasing).bootKib).toBe(bootMib * MIB);
    }
  });
});
