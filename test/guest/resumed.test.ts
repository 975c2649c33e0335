// A guest that goes on has the balloon target it was saved with: nobody's word but ours says what it is told now.
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest';
import type { VmId } from '../../shared/ids.ts';
import type { VmMemory } from '../../shared/memory.ts';
import { type Ebb, waitFor } from '../support/ebb.ts';
import { startFromFixtures } from '../support/fixtures.ts';

const MIB = 1024;
const NEAR = 4 * MIB;
// Guests under TCG on a loaded machine: conditions are waited for, this only ends a hang.
vi.setConfig({ testTimeout: 600_000, hookTimeout: 300_000 });

let ebb: Ebb;
let vmId: VmId;
beforeAll(async () => {
  ebb = await startFromFixtures();
  ({ vmId } = await ebb.vmNamed('alpha'));
});
afterAll(async () => {
  await ebb?.dispose();
});

const at = (what: string, is: (vm: VmMemory) => boolean): Promise<VmMemory> =>
  waitFor(what, async () => {
    const vm = await ebb.call('memory.show', { vmId });
    return vm.balloon === 'obeying' && is(vm) ? vm : null;
  }).catch(async (cause: Error) => {
    throw new Error(`${cause.message}\n${JSON.stringify(await ebb.call('memory.show', { vmId }))}`);
  });

describe('a guest that was saved while it had little', () => {
  it('M3, M4: has its new minimum, and all it is told, after it goes on', async () => {
    await ebb.startVm(vmId);
    await ebb.call('memory.set-range', { vmId, minKib: 96 * MIB, maxKib: 128 * MIB });
    await at('its balloon to take what is above 128 MiB', vm => (vm.actualKib ?? 0) <= 128 * MIB + NEAR);
    await ebb.done((await ebb.call('vm.suspend', { vmId })).taskId);
    // What is saved can only go on as large as it was.
    const preview = await ebb.call('vm.preview-start', { vmId });
    expect(preview).toMatchObject({ feasible: true, bootKib: 320 * MIB });
    await ebb.call('memory.set-range', { vmId, minKib: 136 * MIB, maxKib: 320 * MIB });
    await ebb.startVm(vmId);
    const vm = await at(
      'it to have what it is told',
      ({ actualKib }) => (actualKib ?? 0) >= 320 * MIB - NEAR,
    );
    expect(vm.targetKib).toBe(320 * MIB);
  });
});
