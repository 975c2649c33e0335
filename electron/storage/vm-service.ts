// The contract's handlers for one VM, inside its worker. The engine knows what is true; the exports decide
// who may reach it. One engine serves all disks of the VM, so that a moment has one barrier (T6).
import { basename, dirname } from 'node:path';
import type { PointId, VmId } from '../../shared/ids.ts';
import { Fault } from '../../shared/result.ts';
import type { Handlers } from '../../shared/rpc/server.ts';
import type { Topics } from '../../shared/rpc/topics.ts';
import type { Rescued, Timeline } from '../../shared/timeline.ts';
import type { Clock, Folder } from '../platform/ports.ts';
import type { StorageContract } from './contract.ts';
import type { VmEngine } from './disk/engine.ts';
import type { Exports } from './exports.ts';
import type { PointReaders } from './point-readers.ts';
import { Throttle } from './throttle.ts';

/** The contract's promise for reversal progress: ten times a second. */
const PUBLISH_MS = 100;

export interface VmServiceOptions {
  readonly vmId: VmId;
  readonly openEngine: (folder: string) => Promise<VmEngine>;
  readonly rescue: (folder: string, replace: boolean) => Promise<Rescued>;
  readonly exports: Exports;
  readonly readers: PointReaders;
  /** For images that go to another folder. */
  readonly outside: {
    readonly openFolder: (path: string) => Folder;
    readonly reflink: (from: string, to: string) => void;
  };
  readonly topics: Topics<StorageContract>;
  readonly clock: Clock;
  readonly pid: number;
  readonly version: string;
}

export function createVmService(options: VmServiceOptions): Handlers<StorageContract> {
  const { vmId, exports, readers, topics, clock } = options;
  let goingBack = 0;
  let opened: { readonly folder: string; readonly engine: VmEngine; readonly publish: Throttle } | null =
    null;

  const engineOf = (): VmEngine => {
    if (opened === null) throw new Fault(notOpen(vmId));
    return opened.engine;
  };
  const open = async (folder: string): Promise<Timeline> => {
    if (opened === null) {
      const engine = await options.openEngine(folder);
      const publish = new Throttle(clock, PUBLISH_MS, () => {
        try {
          topics.publish('timeline', vmId, engine.timeline());
        } catch (cause) {
          // The change itself has happened: it does not fail because the timeline cannot be told now.
          if (!(cause instanceof Fault)) throw cause;
        }
      });
      engine.onChange(() => publish.request());
      opened = { folder, engine, publish };
      publish.request();
    }
    return opened.engine.timeline();
  };
  const close = async (): Promise<void> => {
    const closing = opened;
    opened = null;
    await Promise.all([exports.closeAll(), readers.closeAll()]);
    closing?.publish.cancel();
    await closing?.engine.close();
  };

  return {
    'storage.info': () => ({ pid: options.pid, version: options.version, openVms: [vmId] }),
    'storage.quit': async () => {
      await close();
      return {};
    },
    'vm.open': ({ folder }) => open(folder),
    'vm.rescue': ({ folder, replace }) => options.rescue(folder, replace),
    'vm.close': async () => {
      await close();
      return {};
    },
    'vm.rest': async () => {
      if (opened === null) return { isAtRest: true };
      if (exports.openCount > 0 || readers.openCount > 0) return { isAtRest: false };
      const timeline = opened.engine.timeline();
      const { state, compact } = timeline.settle;
      const isBusy = state !== 'rest' || (compact.isPending && !compact.isPaused);
      if (isBusy && !opened.engine.isPoisoned()) return { isAtRest: false };
      // The throttle may still owe the news that the VM is at rest.
      topics.publish('timeline', vmId, timeline);
      await close();
      return { isAtRest: true };
    },
    'disk.create': async ({ diskId, virtualBytes }) => {
      await engineOf().createDisk(diskId, virtualBytes);
      return { virtualBytes: engineOf().volume(diskId).sizeBytes };
    },
    'point.share': async ({ pointId, folder }) => {
      const { openFolder, reflink } = options.outside;
      return { images: await engineOf().sharing.share(pointId, openFolder(folder), reflink) };
    },
    'disk.adopt': async ({ diskId, images }) => {
      await engineOf().sharing.adopt(diskId, images);
      return { virtualBytes: engineOf().volume(diskId).sizeBytes };
    },
    'disk.grow': async ({ diskId, virtualBytes }) => {
      const engine = engineOf();
      const before = engine.volume(diskId).sizeBytes;
      const size = await engine.growDisk(diskId, virtualBytes);
      // A client asks for the size only when it connects.
      if (size !== before) await exports.hangUp(diskId);
      if (exports.openCount === 0) await engine.rest();
      return { virtualBytes: size };
    },
    'export.open': async ({ diskId, socketPath, isReopened }) => {
      const volume = engineOf().volume(diskId);
      // T7: the guest would write to the leaf that is being left.
      if (goingBack > 0) throw new Fault(isGoingBack());
      if (!isReopened) engineOf().trust(diskId);
      await exports.open(diskId, volume, socketPath);
      return { exportName: diskId, virtualBytes: volume.sizeBytes };
    },
    'export.close': async ({ diskId }) => {
      await exports.close(diskId);
      // No guest uses the disk any more.
      if (!engineOf().isPoisoned()) engineOf().trust(diskId);
      await engineOf().volume(diskId).flush();
      if (exports.openCount === 0) await engineOf().rest();
      return {};
    },
    'point.open': async ({ pointId, socketPath, isHeld }) => {
      const volume = engineOf().pointReader(pointId);
      await readers.open(pointId, volume, socketPath, isHeld);
      return { exportName: pointId, virtualBytes: volume.sizeBytes };
    },
    'point.close': async ({ socketPath }) => {
      if (socketPath === null) await readers.closeAll();
      else await readers.close(socketPath);
      return {};
    },
    'point.find': ({ uuid }) => ({ points: engineOf().pointsOf(uuid) }),
    ...graftHandlers(engineOf, readers),
    'delta.some': ({ path, vmId: _, ...order }) => {
      const place = { folder: options.outside.openFolder(dirname(path)), name: basename(path) };
      const write = () => engineOf().deltas.some(place, order, clock.wallMs());
      return readers.whileRead([order.fromId, order.toId], write);
    },
    'timeline.get': () => engineOf().timeline(),
    'moment.take': ({ vmId: _, ...given }) => engineOf().takeMoment(given),
    'moment.update': ({ vmId: _, ...change }) => engineOf().updateMoment(change),
    'moment.go-back': async ({ vmId: _, ...wanted }) => {
      const engine = engineOf();
      // T7: a guest that lives on would write what it remembers of another present.
      if (exports.openCount > 0) throw new Fault(exported('go back'));
      goingBack += 1;
      try {
        await engine.goBack(wanted);
      } finally {
        goingBack -= 1;
      }
      return engine.timeline();
    },
    'moment.delete': async ({ momentId }) => {
      await engineOf().deleteMoment(momentId);
      return {};
    },
    'moment.restore': ({ momentId }) => engineOf().restoreMoment(momentId),
    'trash.purge': async ({ trashedBefore, momentId }) => {
      const engine = engineOf();
      const read = await readers.read();
      const kept = new Set(
        engine
          .timeline()
          .trash.filter(moment => moment.points.some(point => read.has(point.pointId)))
          .map(({ id }) => id),
      );
      if (momentId !== undefined && kept.has(momentId)) throw new Fault(beingRead());
      return engine.purge(
        ({ id, trashedAt }) =>
          trashedAt <= trashedBefore && !kept.has(id) && (momentId === undefined || id === momentId),
      );
    },
    'moment.cost': ({ momentId }) => engineOf().inspect.cost(momentId),
    'moment.compare': async ({ fromId, toId }) => {
      const { inspect } = engineOf();
      const read = inspect.pointsOf(fromId, toId);
      return { disks: await readers.whileRead(read, () => inspect.compare(fromId, toId)) };
    },
    'verify.some': ({ cursor, budgetBytes }) => engineOf().verifier.some(cursor, budgetBytes),
    'settle.set': async ({ to }) => {
      if (to === 'undo') await engineOf().undoSettling();
      else engineOf().setSettling(to === 'run');
      return {};
    },
    'settle.hold': ({ isHeld }) => {
      engineOf().holdSettling(isHeld);
      return {};
    },
    'settle.compact': ({ to }) => {
      engineOf().compact(to);
      return {};
    },
    'point.hash': async ({ pointId }, { signal }) => ({
      sha256: await readers.whileRead([pointId], () => engineOf().hashPoint(pointId, signal)),
    }),
  };
}

function graftHandlers(
  engineOf: () => VmEngine,
  readers: PointReaders,
): Pick<Handlers<StorageContract>, 'graft.open' | 'graft.commit' | 'graft.discard'> {
  const sockets = new Map<PointId, string>();
  const unserve = async (id: PointId): Promise<void> => {
    const socketPath = sockets.get(id);
    sockets.delete(id);
    if (socketPath !== undefined) await readers.close(socketPath);
  };
  return {
    'graft.open': async ({ pointId, socketPath }) => {
      const { grafts } = engineOf();
      const { id, volume } = await grafts.begin(pointId);
      try {
        await readers.open(id, volume, socketPath);
      } catch (cause) {
        await grafts.discard(id);
        throw cause;
      }
      sockets.set(id, socketPath);
      return { graftId: id, exportName: id, virtualBytes: volume.sizeBytes };
    },
    'graft.commit': async ({ graftId, name, note, origin }) => {
      await unserve(graftId);
      return { momentId: await engineOf().grafts.commit(graftId, { name, note, origin }) };
    },
    'graft.discard': async ({ graftId }) => {
      for (const id of graftId === null ? [...sockets.keys()] : [graftId]) await unserve(id);
      await engineOf().grafts.discard(graftId);
      return {};
    },
  };
}

const notOpen = (vmId: VmId) => ({
  code: 'vm.not-found' as const,
  what: `VM ${vmId} is not open.`,
  safe: 'Its disks were not touched.',
  todo: 'Open it first.',
});

const beingRead = () => ({
  code: 'disk.in-use' as const,
  what: 'This point is being read, by an export perhaps.',
  safe: 'It stays in the trash, as it is.',
  todo: 'Wait until that has ended, or cancel it.',
});

const isGoingBack = () => ({
  code: 'disk.in-use' as const,
  what: 'This VM is just going back to an earlier moment.',
  safe: 'Nothing was changed.',
  todo: 'Wait until it has, then start it.',
});

const exported = (doing: string) => ({
  code: 'disk.in-use' as const,
  what: 'A disk of this VM is being served to a running machine.',
  safe: 'Nothing was changed.',
  todo: `Stop the VM, then ${doing}.`,
});
