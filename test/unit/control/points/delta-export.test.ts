// T14: an update there is no room for is refused before its first byte, whatever the disk's size.
import { expect, it } from 'vitest';
import { DeltaExporter, type DeltaExportPorts } from '../../../../electron/control/points/delta-export.ts';
import type { TaskRun } from '../../../../electron/control/tasks/tasks.ts';
import type { PointId, VmId } from '../../../../shared/ids.ts';

const MIB = 2 ** 20;
const DISK = 'd';
const [FROM, TO] = ['from' as PointId, 'to' as PointId];

function exporting(freeMib: number, differsMib: number) {
  const asked: string[] = [];
  const moment = (id: string, pointId: PointId) => ({
    id,
    points: [{ pointId, diskId: DISK, virtualBytes: 2048 * MIB }],
  });
  const call = async (method: string) => {
    asked.push(method);
    if (method === 'timeline.get') return { moments: [moment('a', FROM), moment('b', TO)] };
    if (method === 'moment.compare')
      return { disks: [{ diskId: DISK, difference: { bytes: differsMib * MIB } }] };
    return { cursor: null, writtenBytes: 0, doneBytes: 0, totalBytes: 0 };
  };
  const ports = {
    storage: { call },
    freeBytes: () => freeMib * MIB,
    exists: () => false,
    look: () => null,
    remove: () => undefined,
    moveInto: async () => undefined,
    unfinished: { begin: () => undefined, end: () => undefined },
  } as unknown as DeltaExportPorts;
  const run = {
    step: () => undefined,
    mark: () => undefined,
    signal: new AbortController().signal,
    gate: { pausable: (work: () => Promise<unknown>) => work(), passed: async () => undefined },
  } as unknown as TaskRun;
  const planned = { vmId: 'v' as VmId, from: FROM, to: TO, path: '/out/update.vhd' };
  return { asked, done: new DeltaExporter(ports).write(planned, run) };
}

it('is refused before anything is written where what differs does not fit', async () => {
  const { asked, done } = exporting(1024, 900);
  await expect(done).rejects.toMatchObject({ body: { code: 'disk.full', data: { needs: 900 * MIB } } });
  expect(asked).toEqual(['timeline.get', 'moment.compare']);
});

it('is written where it fits, and not measured where all of the disk would', async () => {
  const fitting = exporting(1024, 600);
  await fitting.done;
  expect(fitting.asked).toEqual(['timeline.get', 'moment.compare', 'delta.some']);
  const roomy = exporting(4096, 900);
  await roomy.done;
  expect(roomy.asked).toEqual(['timeline.get', 'delta.some']);
});
