// A VM's worker dies: what its host does about it. Workers here are stand-ins; the host is the real one.
import { describe, expect, it } from 'vitest';
import { storageContract } from '../../../electron/storage/contract.ts';
import { VmHost, type WorkerLink } from '../../../electron/storage/vm-host.ts';
import type { PointId } from '../../../shared/ids.ts';
import { Fault } from '../../../shared/result.ts';
import { Topics } from '../../../shared/rpc/topics.ts';
import { testClock } from '../../support/nbd-fixture.ts';
import { newDiskId, newVmId } from '../../support/storage-process.ts';
import { until } from '../../support/until.ts';

class StandIn {
  readonly calls: string[] = [];
  isTerminated = false;
  isClosed = false;
  isSecond = false;
  mayRest = true;
  poisoned: string | null = null;
  /** Refuses a disk that is. */
  isStrict = false;
  #exit: (why: string | null) => void = () => undefined;

  link(failsToOpen: boolean): WorkerLink {
    return {
      client: {
        ready: Promise.resolve(),
        call: async (method: string, params: { socketPath?: string }) => {
          this.calls.push(params.socketPath === undefined ? method : `${method} ${params.socketPath}`);
          if (this.isClosed) {
            throw new Fault({ code: 'rpc.unavailable', what: 'gone', safe: '', todo: '' });
          }
          if (method === 'point.open' && params.socketPath === '/lost' && this.isSecond) {
            throw new Fault({ code: 'moment.not-found', what: 'planted', safe: '', todo: '' });
          }
          if (failsToOpen && method === 'vm.open') {
            throw new Fault({ code: 'vhd.corrupt', what: 'planted', safe: '', todo: '' });
          }
          if (method === 'export.open' && this.poisoned !== null && this.isStrict)
            throw new Fault({ code: 'disk.poisoned', what: this.poisoned, safe: '', todo: 'start it' });
          if (method === 'timeline.get') return { disks: [{ poisoned: this.poisoned }] };
          return method === 'vm.rest' ? { isAtRest: this.mayRest } : {};
        },
        subscribe: () => () => undefined,
        onClose: () => undefined,
        close: () => {
          this.isClosed = true;
        },
      } as unknown as WorkerLink['client'],
      onExit: listener => {
        this.#exit = listener;
      },
      terminate: async () => {
        this.isTerminated = true;
        this.#exit(null);
      },
    };
  }

  die(): void {
    this.#exit('a planted bug');
  }
}

function hostWith(failsToOpen: (index: number) => boolean = () => false) {
  const vmId = newVmId();
  const workers: StandIn[] = [];
  const logged: string[] = [];
  const host = new VmHost({
    vmId,
    folder: '/vm',
    startWorker: () => {
      const worker = new StandIn();
      worker.isSecond = workers.length > 0;
      workers.push(worker);
      return worker.link(failsToOpen(workers.length - 1));
    },
    topics: new Topics(storageContract),
    clock: testClock,
    log: line => logged.push(line),
  });
  return { host, vmId, workers, logged };
}

describe('VmHost', () => {
  it('T11: opens the folder and every export again, unasked, when a worker dies', async () => {
    const { host, vmId, workers, logged } = hostWith();
    await host.open();
    const [kept, gone] = [newDiskId(), newDiskId()];
    await host.openExport({ vmId, diskId: kept, socketPath: '/kept', isReopened: false });
    await host.openExport({ vmId, diskId: gone, socketPath: '/gone', isReopened: false });
    await host.closeExport({ vmId, diskId: gone });
    workers[0]?.die();
    await until('the second worker serves', () => (workers[1]?.calls.length ?? 0) === 2);
    expect(workers[1]?.calls).toEqual(['vm.open', 'export.open /kept']);
    expect(logged.join()).toContain('a planted bug');
    expect(workers[0]?.isClosed).toBe(true);
  });

  it('T14: a disk that is written no more is served anew by another worker, and to who used it before by the same', async () => {
    const { host, vmId, workers } = hostWith();
    await host.open();
    const [first] = workers;
    if (first !== undefined) first.poisoned = 'a sync failed';
    const diskId = newDiskId();
    await host.openExport({ vmId, diskId, socketPath: '/living', isReopened: true });
    await host.closeExport({ vmId, diskId });
    expect([workers.length, first?.isTerminated]).toEqual([1, false]);
    await host.openExport({ vmId, diskId, socketPath: '/new', isReopened: false });
    expect([first?.calls.at(-1), first?.isTerminated]).toEqual(['vm.rest', true]);
    expect(workers[1]?.calls).toEqual(['vm.open', 'export.open /new']);
  });

  it('T14: a start that meets a poisoned disk whose point somebody reads is told what keeps it', async () => {
    const { host, vmId, workers } = hostWith();
    await host.open();
    await host.openPoint({
      vmId,
      pointId: newDiskId() as string as PointId,
      socketPath: '/held',
      isHeld: true,
    });
    const [first] = workers;
    if (first !== undefined) Object.assign(first, { poisoned: 'a sync failed', isStrict: true });
    const start = () => host.openExport({ vmId, diskId: newDiskId(), socketPath: '/new', isReopened: false });
    await expect(start()).rejects.toMatchObject({
      body: { code: 'disk.poisoned', what: 'a sync failed', todo: expect.stringMatching(/looks at points/) },
    });
    await host.closePoint({ vmId, socketPath: '/held' });
    await start();
    expect([first?.isTerminated, workers[1]?.calls]).toEqual([true, ['vm.open', 'export.open /new']]);
  });

  it('T8: serves held points again when a worker dies, and not what was only read or let go', async () => {
    const { host, vmId, workers } = hostWith();
    await host.open();
    const pointId = newDiskId() as string as PointId;
    const serve = (socketPath: string, isHeld: boolean) =>
      host.openPoint({ vmId, pointId, socketPath, isHeld });
    await serve('/held', true);
    await serve('/gone', true);
    await serve('/read', false);
    await host.closePoint({ vmId, socketPath: '/gone' });
    workers[0]?.die();
    await until('the second worker serves', () => (workers[1]?.calls.length ?? 0) === 2);
    expect(workers[1]?.calls).toEqual(['vm.open', 'point.open /held']);
    await host.closePoint({ vmId, socketPath: null });
    workers[1]?.die();
    await until('the third worker is there', () => (workers[2]?.calls.length ?? 0) > 0);
    expect(workers[2]?.calls).toEqual(['vm.open']);
  });

  it('T11: a point that cannot be served again keeps no guest from its disk', async () => {
    const { host, vmId, workers, logged } = hostWith();
    await host.open();
    await host.openExport({ vmId, diskId: newDiskId(), socketPath: '/disk', isReopened: false });
    const pointId = newDiskId() as string as PointId;
    await host.openPoint({ vmId, pointId, socketPath: '/lost', isHeld: true });
    await host.openPoint({ vmId, pointId, socketPath: '/held', isHeld: true });
    workers[0]?.die();
    await until('the second worker serves', () => (workers[1]?.calls.length ?? 0) === 4);
    expect(workers[1]?.calls.slice(0, 2)).toEqual(['vm.open', 'export.open /disk']);
    expect(workers[1]?.calls.slice(2).sort()).toEqual(['point.open /held', 'point.open /lost']);
    expect(workers[1]?.isTerminated).toBe(false);
    expect(logged.join()).toContain('is not served again');
  });

  it('gives up after five deaths within a minute, says so, and tries anew when asked to open', async () => {
    const { host, vmId, workers } = hostWith();
    await host.open();
    for (let death = 0; death < 5; death++) {
      await until('it serves', () => (workers[death]?.calls.length ?? 0) > 0);
      workers[death]?.die();
    }
    await expect(host.call('timeline.get', { vmId })).rejects.toMatchObject({
      body: { code: 'storage.unavailable' },
    });
    expect(workers).toHaveLength(5);
    await host.open();
    expect(workers).toHaveLength(6);
  });

  it('ends a worker nobody needs, and the next call has another', async () => {
    const { host, vmId, workers, logged } = hostWith();
    await host.open();
    const isAtRest = host.rest();
    const meanwhile = host.call('timeline.get', { vmId });
    expect(await isAtRest).toBe(true);
    await meanwhile;
    expect(workers.map(worker => [worker.isTerminated, worker.calls.join()])).toEqual([
      [true, 'vm.open,timeline.get,vm.rest'],
      [false, 'vm.open,timeline.get'],
    ]);
    expect(logged).toEqual([]);
  });

  it('keeps a worker that serves, is called, or has something to do', async () => {
    const { host, vmId, workers } = hostWith();
    await host.open();
    const diskId = newDiskId();
    await host.openExport({ vmId, diskId, socketPath: '/disk', isReopened: false });
    expect(await host.rest()).toBe(false);
    await host.closeExport({ vmId, diskId });
    const call = host.call('timeline.get', { vmId });
    expect(await host.rest()).toBe(false);
    await call;
    const [worker] = workers;
    if (worker !== undefined) worker.mayRest = false;
    expect(await host.rest()).toBe(false);
    expect(workers).toHaveLength(1);
    expect(worker?.isTerminated).toBe(false);
  });

  it('holds settling in the workers to come, and wakes none to say so', async () => {
    const { host, vmId, workers } = hostWith();
    await host.open();
    await host.rest();
    await host.holdSettling({ vmId, isHeld: true });
    expect(workers).toHaveLength(1);
    await host.open();
    expect(workers[1]?.calls).toEqual(['vm.open', 'settle.hold', 'timeline.get']);
    await host.holdSettling({ vmId, isHeld: false });
    expect(workers[1]?.calls.at(-1)).toBe('settle.hold');
  });

  it('closes while it goes to rest', async () => {
    const { host, vmId, workers } = hostWith();
    await host.open();
    const resting = host.rest();
    await host.close();
    await resting;
    expect(workers.map(worker => worker.isTerminated)).toEqual([true]);
    await expect(host.call('timeline.get', { vmId })).rejects.toBeInstanceOf(Fault);
  });

  it('leaves no worker behind when a folder cannot be opened', async () => {
    const { host, workers } = hostWith(index => index === 0);
    await expect(host.open()).rejects.toMatchObject({ body: { code: 'vhd.corrupt' } });
    expect(workers[0]?.isTerminated).toBe(true);
    await host.open();
    expect(workers).toHaveLength(2);
  });

  it('closes once and does not restart what it ended itself', async () => {
    const { host, vmId, workers } = hostWith();
    await host.open();
    await host.close();
    expect(workers.map(worker => [worker.calls.at(-1), worker.isTerminated])).toEqual([['vm.close', true]]);
    await expect(host.call('timeline.get', { vmId })).rejects.toBeInstanceOf(Fault);
    expect(workers).toHaveLength(1);
  });
});
