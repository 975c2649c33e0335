// What cannot be written down after a step that cannot be taken back: people are told what is so by then.
import { expect, it } from 'vitest';
import { Machines, type MachinesPorts } from '../../../../electron/control/machines/machines.ts';
import { createService, type ServiceParts } from '../../../../electron/control/service.ts';
import { openCatalog } from '../../../../electron/control/store/catalog.ts';
import type { CallContext } from '../../../../shared/rpc/server.ts';
import { specOf, uuid } from '../../../support/memory-world.ts';

it('a VM whose disks are in the trash is not told to be unaffected', async () => {
  const catalog = openCatalog(':memory:');
  catalog.put(specOf(1));
  const trashed: string[] = [];
  const machines = new Machines({
    catalog,
    storage: { closeVm: async () => undefined },
    folders: {
      toTrash: (vmId: string) => void trashed.push(vmId),
      isTrashed: (vmId: string) => trashed.includes(vmId),
    },
    memory: { forget: () => undefined },
    changed: () => undefined,
  } as Partial<Record<keyof MachinesPorts, unknown>> as MachinesPorts);
  machines.supervisor = () => ({ state: () => ({ phase: 'off' }), savedRecord: () => null }) as never;
  catalog.db.pragma('query_only = ON');
  await expect(machines.delete(uuid(1), () => undefined)).rejects.toMatchObject({
    body: { code: 'host.permission', safe: expect.stringMatching(/in the trash/) },
  });
  expect(trashed).toEqual([uuid(1)]);
  // Opened, it would get an empty folder, which a second deletion would lay over the first in the trash.
  await expect(machines.open(uuid(1))).rejects.toMatchObject({ body: { code: 'vm.not-found' } });
  catalog.db.pragma('query_only = OFF');
  await machines.delete(uuid(1), () => undefined);
  expect(trashed).toEqual([uuid(1)]);
  expect(catalog.all()).toEqual([]);
});

it('a point that was restored is told as restored, also where that cannot be noted', async () => {
  const catalog = openCatalog(':memory:');
  catalog.db.pragma('query_only = ON');
  const [moment, lines] = [{ id: uuid(2), kind: 'automatic' }, [] as string[]];
  const service = createService({
    machines: { spec: () => specOf(1), open: async () => undefined, peekOf: () => null },
    storage: { call: async () => moment },
    histories: { spare: () => catalog.put(specOf(1)) },
    log: (line: string) => void lines.push(line),
  } as unknown as ServiceParts);
  const restored = service['moment.restore'](
    { vmId: uuid(1), momentId: moment.id as never },
    {} as CallContext,
  );
  expect(await restored).toBe(moment);
  expect(lines).toEqual([expect.stringMatching(/was restored is not written yet: host\.permission/)]);
});
