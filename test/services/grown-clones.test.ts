// T4: a clone of a point is as large as the point was, whatever became of the disk since; what fits the point fits the clone.
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, it, vi } from 'vitest';
import type { MomentId, PointId, VmId } from '../../shared/ids.ts';
import { Ebb } from '../support/ebb.ts';
import { HistoryVm } from '../support/history-vm.ts';
import { randomBytes } from '../support/seeded.ts';

vi.setConfig({ testTimeout: 300_000, hookTimeout: 300_000 });

const MIB = 2 ** 20;
const folder = mkdtempSync(join(tmpdir(), 'ebb-t-grown-'));
let ebb: Ebb;
let vm: HistoryVm;

beforeAll(async () => {
  ebb = await Ebb.start();
  vm = await HistoryVm.create(ebb, 'grown', randomBytes(8 * MIB, 1));
});
afterAll(async () => {
  await ebb?.dispose();
  rmSync(folder, { recursive: true, force: true });
});

const sizeOf = async (vmId: VmId): Promise<number | undefined> =>
  (await ebb.call('vm.get', { vmId })).spec.disks[0]?.virtualBytes;

async function clone(momentId: MomentId, name: string): Promise<VmId> {
  const made = await ebb.call('vm.clone', { vmId: vm.vmId, momentId, name });
  await ebb.done(made.taskId);
  return made.vmId;
}

it('a point from before the disk grew, and an update made from it; and one larger than Now', async () => {
  const { vmId, diskId } = vm;
  const first = await vm.named('Imported');
  const small = first.points[0]?.virtualBytes;
  const second = await vm.take('second', [{ at: 3 * MIB, bytes: randomBytes(MIB, 2) }]);
  const path = join(folder, 'update.vhd');
  const delta = await ebb.call('moment.export-delta', { vmId, fromId: first.id, toId: second.id, path });
  await ebb.done(delta.taskId);
  const grown = await ebb.call('disk.grow', { vmId, diskId, virtualBytes: 40 * MIB });
  expect(grown.virtualBytes).toBeGreaterThanOrEqual(40 * MIB);

  const twin = await clone(first.id, 'twin');
  expect(await sizeOf(twin)).toBe(small);
  const { file } = await ebb.call('file.register', { path });
  await ebb.done((await ebb.call('moment.import-delta', { vmId: twin, file, name: 'update' })).taskId);
  const of = async (id: VmId, name: string): Promise<string> => {
    const { moments } = await ebb.call('timeline.get', { vmId: id });
    const [point] = moments.find(moment => moment.name === name)?.points ?? [];
    return ebb.hashPoint(id, point?.diskId ?? diskId, String(point?.pointId) as PointId, 8 * MIB);
  };
  for (const id of [twin, vmId]) await ebb.settled(id);
  expect(await of(twin, 'update')).toBe(await of(vmId, 'second'));

  await ebb.done((await ebb.call('moment.go-back', { vmId, momentId: first.id, keepName: 'large' })).taskId);
  expect(await sizeOf(vmId)).toBe(small);
  const large = await clone((await vm.named('large')).id, 'large twin');
  expect(await sizeOf(large)).toBe(grown.virtualBytes);
});
