// L1: a real guest comes up before the eyes of whoever looks: its first screen, then itself; a disk with nothing on it
// shows its firmware, and runs.
import { afterAll, beforeAll, expect, it, vi } from 'vitest';
import type { VmId } from '../../shared/ids.ts';
import type { Coming } from '../../shared/vm.ts';
import { Ebb, waitFor } from '../support/ebb.ts';

vi.setConfig({ testTimeout: 300_000, hookTimeout: 120_000 });

let ebb: Ebb;
const told = new Map<VmId, (Coming | null)[]>();

beforeAll(async () => {
  ebb = await Ebb.start();
  ebb.subscribe('vms', null, ({ vms }) => {
    for (const { spec, state } of vms) {
      if (state.phase !== 'running') continue;
      const all = told.get(spec.id) ?? [];
      if (all.length === 0 || all.at(-1) !== state.coming) all.push(state.coming);
      told.set(spec.id, all);
    }
  });
});
afterAll(() => ebb?.dispose());

it('the sample guest: it runs, is waited for, and is up', async () => {
  const { vmId } = await ebb.createSample('comes', { minMib: 112, maxMib: 128, diskMib: 16 });
  await ebb.startVm(vmId);
  await waitFor('nothing more', async () => {
    const { coming, guestUp } = await ebb.state(vmId);
    return (guestUp && coming === null) || null;
  });
  expect(told.get(vmId)).toContain('guest');
  expect(told.get(vmId)?.at(-1)).toBeNull();
  // Nobody's reset is a failure: it comes up again.
  await ebb.call('vm.reset', { vmId });
  await waitFor('the guest to be away', async () => !(await ebb.state(vmId)).guestUp || null);
  await waitFor('the guest again', async () => (await ebb.state(vmId)).guestUp || null);
  await ebb.stopVm(vmId);
});

it('an empty disk: firmware shows its screen, no guest comes, the VM runs', async () => {
  const { vmId, taskId } = await ebb.call('vm.create', {
    name: 'nobody',
    os: 'other',
    cpus: 1,
    minKib: 112 * 1024,
    maxKib: 128 * 1024,
    source: { kind: 'empty', diskBytes: 16 * 2 ** 20 },
  });
  await ebb.done(taskId);
  const start = await ebb.done((await ebb.call('vm.start', { vmId })).taskId);
  expect(start.state).toBe('done');
  await waitFor('its first screen', async () => (await ebb.state(vmId)).coming === 'guest' || null);
  expect(await ebb.state(vmId)).toMatchObject({ phase: 'running', guestUp: false, error: null });
  await ebb.stopVm(vmId);
});
