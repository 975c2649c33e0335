// What control's door to storage says again to a storage that has just begun.
import { expect, it } from 'vitest';
import { StorageClient } from '../../../electron/storage/client.ts';
import { type StorageContract, storageContract } from '../../../electron/storage/contract.ts';
import { type Handlers, serve } from '../../../shared/rpc/server.ts';
import { Topics } from '../../../shared/rpc/topics.ts';
import { exampleOf } from '../../support/example.ts';
import { memoryPair, type Pair } from '../../support/memory-channel.ts';
import { TestClock, uuid } from '../../support/memory-world.ts';
import { until } from '../../support/until.ts';

it('a hold that storage forgot when it died is said again as soon as it is back, before its disks are served', async () => {
  const [held, free] = [uuid(1), uuid(2)];
  const disk = uuid(3) as never;
  let calls: string[] = [];
  let pair: Pair | null = null;
  const handlers = new Proxy({} as Handlers<StorageContract>, {
    get: (_, method: keyof StorageContract['methods']) => (params: { vmId: string; isHeld?: boolean }) => {
      calls.push(`${method} ${params.vmId.at(-1)}${params.isHeld === undefined ? '' : ` ${params.isHeld}`}`);
      return exampleOf(storageContract.methods[method].result, 'output');
    },
  });
  const client = new StorageClient({
    connect: () => {
      pair = memoryPair();
      const topics = new Topics(storageContract);
      serve({
        table: storageContract,
        handlers,
        topics,
        channel: pair.far,
        kind: 'local',
        onBug: () => undefined,
      });
      return Promise.resolve(pair.near);
    },
    spawn: () => Promise.resolve(),
    clock: new TestClock(),
    log: () => undefined,
  });
  for (const vmId of [held, free]) await client.openVm(vmId, '/x');
  await client.openExport(held, disk, '/s');
  for (const vmId of [held, free]) await client.holdSettling(vmId, true);
  await client.holdSettling(free, false);
  const dies = async (): Promise<string[]> => {
    calls = [];
    pair?.far.close();
    await until('both are open again', () => calls.includes('vm.open 2'));
    return calls;
  };
  expect(await dies()).toEqual(['vm.open 1', 'settle.hold 1 true', 'export.open 1', 'vm.open 2']);
  await client.holdSettling(held, false);
  expect(await dies()).toEqual(['vm.open 1', 'export.open 1', 'vm.open 2']);
  client.dispose();
});
