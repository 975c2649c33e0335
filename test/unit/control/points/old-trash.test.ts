// T8: what was deleted a week ago goes for good, by the clock control is given, and nothing before. Storage is the real one.
import { expect, it } from 'vitest';
import { Machines, type MachinesPorts } from '../../../../electron/control/machines/machines.ts';
import { systemClock } from '../../../../electron/platform/clock.ts';
import { unrestricted } from '../../../support/policies.ts';
import { newDiskId, newVmId, storageFixture } from '../../../support/storage-process.ts';

const HOUR_MS = 3_600_000;
const WEEK_MS = 7 * 24 * HOUR_MS;

it('T8: a deleted point stays in the trash for a week, and is gone after it; others stay', async () => {
  await using storage = storageFixture();
  const { client } = storage;
  const [vmId, diskId] = [newVmId(), newDiskId()];
  await client.openVm(vmId, storage.vmFolder(vmId));
  await client.call('disk.create', { vmId, diskId, virtualBytes: 8 * 2 ** 20 });
  const take = async (name: string): Promise<string> =>
    (await client.call('moment.take', { vmId, name, note: '', kind: 'manual' })).id;
  const [deleted, kept] = [await take('deleted'), await take('kept')];
  await client.call('moment.delete', { vmId, momentId: deleted });

  const told: string[][] = [];
  let laterMs = 0;
  const clock = { ...systemClock, wallMs: () => systemClock.wallMs() + laterMs };
  // Nothing else of it is asked for.
  const machines = new Machines({
    storage: client,
    clock,
    policy: () => unrestricted,
    purging: (_, moments) => {
      told.push(moments.map(({ name }) => name));
      return gone => told.push(gone.map(({ name }) => name));
    },
  } as Partial<MachinesPorts> as MachinesPorts);
  const inTrash = async (): Promise<string[]> =>
    (await client.call('timeline.get', { vmId })).trash.map(({ id }) => id);
  for (laterMs of [0, WEEK_MS - HOUR_MS]) {
    await machines.purgeOldTrash(vmId);
    expect(await inTrash()).toEqual([deleted]);
  }
  laterMs = WEEK_MS + HOUR_MS;
  await machines.purgeOldTrash(vmId);
  expect(await inTrash()).toEqual([]);
  expect(told).toEqual([['deleted'], ['deleted']]);
  expect((await client.call('timeline.get', { vmId })).moments.map(({ id }) => id)).toEqual([kept]);
});
