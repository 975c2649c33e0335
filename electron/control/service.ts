// The contract's handlers, each a few lines that call the parts of control. The parts enforce the limits, so
// that they hold whichever way a call comes in (M10, DESIGN §8).
import type { AppInfo, DoctorReport } from '../../shared/host.ts';
import type { VmId } from '../../shared/ids.ts';
import type { PolicyReport } from '../../shared/policy/report.ts';
import type { Contract } from '../../shared/rpc/contract.ts';
import type { CallContext, Handlers } from '../../shared/rpc/server.ts';
import type { TaskKind } from '../../shared/task.ts';
import type { VmSource } from '../../shared/vm.ts';
import type { accessHandlers } from './access/handlers.ts';
import { auditHandlers } from './audit/handlers.ts';
import type { AuditParts } from './compose/audit.ts';
import type { Files } from './files.ts';
import type { HistoryDesk } from './history/desk.ts';
import { historyHandlers } from './history/handlers.ts';
import type { Adder } from './machines/adder.ts';
import type { Deleted } from './machines/deleted.ts';
import { browserRefused, notRunning, someRun, vmBusy } from './machines/machine-faults.ts';
import type { ResolvedSource } from './machines/new-machine.ts';
import type { PeekDesk } from './machines/peek.ts';
import { onlyLooking } from './machines/peek-guard.ts';
import type { MemoryManager } from './memory/manager.ts';
import type { RangeDesk } from './memory/range-desk.ts';
import type { MomentDesk } from './moments/desk.ts';
import type { ExtrasShelf } from './moments/extras.ts';
import type { PointFiles } from './point-files/desk.ts';
import type { Downloads } from './points/downloads.ts';
import { beingWritten } from './points/export-point.ts';
import { growDisk } from './points/grow-disk.ts';
import type { PointServer } from './points/point-server.ts';
import { guestInfo } from './qga/commands.ts';
import type { ConsoleStreams } from './screens/console-streams.ts';
import type { Thumbnails } from './screens/thumbnails.ts';
import type { SerialLines } from './serial/lines.ts';
import type { SetupDesk } from './setup/desk.ts';
import type { StoredMemoryPolicy } from './store/catalog.ts';
import { orLater } from './store/unwritten.ts';
import { exportIn, KIND_OF, type Order, type OrderParts, workOf } from './tasks/task-orders.ts';
import type { TaskRun, Tasks } from './tasks/tasks.ts';
import { updatesAllowed } from './updates.ts';

export interface ServiceParts extends OrderParts, AuditParts {
  readonly accessing: ReturnType<typeof accessHandlers>;
  readonly deleted: Deleted;
  readonly adder: Adder;
  readonly info: () => Omit<AppInfo, 'role' | 'user' | 'isSignedIn'>;
  readonly doctor: () => Promise<DoctorReport>;
  readonly quit: () => Promise<void>;
  readonly memory: MemoryManager;
  readonly ranges: RangeDesk;
  readonly histories: HistoryDesk;
  /** The memory of all VMs. Faults: memory.bad-range, policy.denied. */
  readonly setMemoryPolicy: (change: Partial<StoredMemoryPolicy>) => void;
  readonly policyReport: () => PolicyReport;
  readonly maySeekUpdates: () => boolean;
  readonly tasks: Tasks;
  readonly files: Files;
  readonly consoles: ConsoleStreams;
  readonly serials: SerialLines;
  readonly moments: MomentDesk;
  readonly shelf: ExtrasShelf;
  readonly thumbnails: Thumbnails;
  readonly pointServer: PointServer;
  readonly downloads: Downloads;
  readonly pointFiles: PointFiles;
  /** "2026-11-30". */
  readonly day: () => string;
  readonly peeks: PeekDesk;
  /** What a shell told: on battery or not, or awake again. */
  readonly onPower: (isOnBattery: boolean) => void;
  readonly setup: SetupDesk;
  /** "Thu 10:41", for the branch that keeps the present. */
  readonly keepName: () => string;
  readonly log: (line: string) => void;
}

type WorkOf = (vmId: VmId, run: TaskRun) => Promise<void>;

export function createService(parts: ServiceParts): Handlers<Contract> {
  const { machines, memory, ranges, storage, tasks, files, consoles, setup, moments, shelf, downloads } =
    parts;

  const start = (kind: TaskKind, vmId: VmId, verb: string, canCancel: boolean, work: WorkOf) => {
    const { spec } = machines.get(vmId);
    const title = `${verb} ${spec.name}`;
    return { taskId: tasks.start({ kind, vmId, title, canCancel, work: run => work(vmId, run) }) };
  };
  const isBeingWritten = (path: string) => tasks.orders().some(order => exportIn(order)?.path === path);
  /** Starts a task that the next control begins again where this one dies over it. */
  const startLong = (vmId: VmId, verb: string, order: Order, name = machines.spec(vmId).name) => {
    parts.rules.require(order);
    const path = exportIn(order)?.path;
    if (path !== undefined && isBeingWritten(path)) throw beingWritten(path);
    const told = { kind: KIND_OF[order.what], vmId, title: `${verb} ${name}`, canCancel: true };
    return { taskId: tasks.start({ ...told, order, work: workOf(order, parts) }) };
  };
  /** Only one long operation per VM: the second would see a state in between. */
  const idle = (vmId: VmId, alsoReading = false): VmId => {
    if (!tasks.isBusy(vmId, alsoReading)) return vmId;
    throw vmBusy(machines.spec(vmId));
  };
  const resolve = (source: VmSource): ResolvedSource =>
    source.kind === 'iso' || source.kind === 'disk' ? { ...source, file: files.get(source.file) } : source;
  const opened = async (vmId: VmId): Promise<VmId> => {
    machines.spec(vmId);
    await machines.open(vmId);
    return vmId;
  };
  const refuseBrowser = ({ caller }: CallContext): void => {
    if (caller.kind !== 'local') throw browserRefused('name files or sockets on', 'Upload the file instead.');
  };

  const streamsOf = (of: 'screen' | 'serial') => (of === 'serial' ? parts.serials : consoles);
  const auditing = auditHandlers(parts.audit, parts.auditLog);
  /** Connections that told which VM they look at. */
  const looking = new Set<number>();

  const handlers: Handlers<Contract> = {
    'app.info': (_, { caller: { role, user, session } }) => ({
      ...parts.info(),
      role,
      user,
      isSignedIn: session !== null,
    }),
    'app.quit': async () => {
      if (machines.hasRunning) throw someRun();
      await parts.quit();
      return {};
    },
    'app.power': ({ isOnBattery }, { caller }) => {
      if (caller.kind !== 'local')
        throw browserRefused('tell the power of', "The desktop's window tells it.");
      memory.setOnBattery(isOnBattery);
      parts.onPower(isOnBattery);
      return {};
    },
    'app.updates': () => updatesAllowed(parts.maySeekUpdates(), tasks.list()),
    'doctor.run': () => parts.doctor(),
    'policy.show': () => parts.policyReport(),

    'vm.list': () => ({ vms: machines.list() }),
    'vm.get': ({ vmId }) => machines.get(vmId),
    'vm.create': async params => {
      const source = resolve(params.source);
      const planned = await machines.plan({ ...params, source, setup: setup.forNew({ ...params, source }) });
      const vmId = planned.spec.id;
      const order = { what: 'create', ...planned, source, cloudInit: params.cloudInit } as const;
      return { vmId, ...startLong(vmId, 'Create', order, params.name) };
    },
    'vm.clone': async ({ vmId: fromId, ...wanted }) => {
      const planned = await parts.cloner.plan(await opened(fromId), wanted);
      const vmId = planned.spec.id;
      return { vmId, ...startLong(vmId, 'Clone', { what: 'clone', ...planned }, wanted.name) };
    },
    'vm.add': async ({ path, move }, context) => {
      refuseBrowser(context);
      const planned = await parts.adder.plan(path, move);
      const { spec, moves } = planned;
      if (tasks.isBusy(spec.id)) throw vmBusy(spec);
      const told = { kind: 'vm.add', vmId: spec.id, title: `Add ${spec.name}`, canCancel: !moves } as const;
      const taskId = tasks.start({ ...told, work: run => parts.adder.add(planned, run) });
      return { vmId: spec.id, taskId, isCopied: !moves };
    },
    'vm.rename': ({ vmId, name }) => {
      machines.rename(vmId, name);
      return {};
    },
    'vm.configure': ({ vmId, change }) => setup.configure(vmId, change),
    'vm.insert': ({ vmId, file: token }) => {
      const planned = parts.drives.plan(idle(vmId), files.get(token));
      return startLong(vmId, 'Insert a CD into', { what: 'insert', ...planned });
    },
    'vm.eject': async ({ vmId }) => ({
      removedBytes: await tasks.whileHeld(idle(vmId), () => parts.drives.eject(vmId)),
    }),
    'host.parts': () => setup.parts(),
    'network.conflicts': async ({ vmId, portForwards }) => ({
      conflicts: await setup.conflicts(vmId, portForwards),
    }),
    'vm.delete': ({ vmId }) => {
      machines.requireOff(idle(vmId, true), 'deleting');
      return start('vm.delete', vmId, 'Delete', false, (id, { step }) => {
        parts.deleted.willGo(id);
        return machines.delete(id, step);
      });
    },
    'vm.trashed': () => ({ vms: parts.deleted.list() }),
    'vm.restore': async ({ vmId }) => {
      const { name } = await parts.deleted.takeBack(vmId);
      parts.histories.tell();
      return { name };
    },
    'vm.preview-start': ({ vmId }) =>
      memory.preview(machines.bound(vmId), machines.supervisor(vmId).savedRecord()?.bootKib),
    'vm.start': ({ vmId }) =>
      start('vm.start', idle(vmId), 'Start', true, (id, { step, signal }) => setup.start(id, signal, step)),
    'vm.stop': ({ vmId, how }) =>
      start(
        'vm.stop',
        vmId,
        how === 'force' ? 'Force off' : 'Shut down',
        how === 'shutdown',
        (id, { step, signal }) => machines.supervisor(id).stop(how, signal, step),
      ),
    'vm.pause': async ({ vmId }) => {
      await machines.supervisor(vmId).pause();
      return {};
    },
    'vm.resume': async ({ vmId }) => {
      await machines.supervisor(vmId).resume();
      return {};
    },
    'vm.reset': async ({ vmId }) => {
      await machines.supervisor(vmId).reset();
      return {};
    },
    'vm.suspend': ({ vmId }) =>
      start('vm.suspend', idle(vmId), 'Suspend', true, (id, { step, signal }) =>
        machines.supervisor(id).suspend(signal, step),
      ),

    'memory.host': () => memory.hostMemory(),
    'memory.show': ({ vmId }) => memory.vmMemory(machines.bound(vmId)),
    'memory.set-range': ({ vmId, minKib, maxKib }) => {
      ranges.set(vmId, { minKib, maxKib });
      return memory.vmMemory(machines.bound(vmId));
    },
    'memory.try-range': ({ vmId, minKib, maxKib, seconds }) => {
      ranges.try(vmId, { minKib, maxKib }, seconds * 1000);
      return ranges.undoOf(vmId);
    },
    'memory.keep-range': ({ vmId }) => {
      ranges.keep(vmId);
      return ranges.undoOf(vmId);
    },
    'memory.undo-range': ({ vmId }) => {
      ranges.undo(vmId);
      return memory.vmMemory(machines.bound(vmId));
    },
    'memory.range-undo': ({ vmId }) => {
      machines.spec(vmId);
      return ranges.undoOf(vmId);
    },
    'memory.set-balance': ({ vmId, balanced, weight }) => {
      machines.setBalance(vmId, balanced, weight);
      return memory.vmMemory(machines.bound(vmId));
    },
    'memory.set-policy': change => {
      parts.setMemoryPolicy(change);
      return memory.hostMemory();
    },
    'memory.focus': ({ vmId }, { caller }) => {
      if (vmId !== null) machines.spec(vmId);
      if (!looking.has(caller.id))
        caller.onGone(() => looking.delete(caller.id) && memory.focus(caller.id, null));
      looking.add(caller.id);
      memory.focus(caller.id, vmId);
      return {};
    },
    'memory.free': ({ kib, seconds }) => memory.free(kib, seconds * 1000),
    'memory.ledger': ({ vmId, limit, beforeSeq }) => ({ entries: memory.ledger(vmId, limit, beforeSeq) }),
    'memory.replay': ({ limit }) => memory.replay(limit),
    'memory.history': ({ vmId, sinceMs }) => {
      machines.spec(vmId);
      return { samples: memory.history(vmId, sinceMs) };
    },

    'disk.grow': params => tasks.whileHeld(idle(params.vmId, true), () => growDisk(parts, params)),

    'vm.thumbnail': async ({ vmId }) => ({ png: await parts.thumbnails.of(machines.spec(vmId).id) }),
    'vm.screen': async ({ vmId }) => ({ png: await moments.screenNow(vmId) }),
    'vm.guest': ({ vmId }) => {
      const reached = machines.supervisor(vmId).reached();
      return reached === null ? null : guestInfo(reached.agent);
    },

    'timeline.get': async ({ vmId }) =>
      shelf.tell(await storage.call('timeline.get', { vmId: await opened(vmId) })),
    'moment.take': async ({ vmId, name, note }) =>
      moments.take({ vmId: await opened(vmId), name, note, kind: 'manual' }, null),
    'moment.take-with-memory': ({ vmId, name, note }) =>
      start('moment.take', idle(vmId), 'Take a point of', true, async (id, run) => {
        await moments.take({ vmId: await opened(id), name, note, kind: 'manual' }, run);
      }),
    'moment.screen': async ({ vmId, momentId }) => ({
      png: await moments.screenAt(await opened(vmId), momentId),
    }),
    'moment.update': async ({ vmId, ...change }) =>
      storage.call('moment.update', { vmId: await opened(vmId), ...change }),
    'moment.go-back': ({ vmId, momentId, ifRunning, keepName, memory: what, configuration }) => {
      const supervisor = machines.supervisor(idle(vmId));
      const how = supervisor.state().pid === null || ifRunning === 'refuse' ? null : ifRunning;
      if (how === null) machines.requireOff(vmId, 'going back');
      return start('moment.go-back', vmId, 'Go back', how === 'shutdown', async (id, { step, signal }) => {
        if (how !== null) await supervisor.stop(how, signal, step);
        const wanted = {
          vmId: id,
          momentId,
          keepName: keepName ?? parts.keepName(),
          resume: what === 'resume',
          configuration,
        };
        const isResumed = await moments.goingBack.goBack(wanted, step);
        if (how !== null || isResumed) await setup.start(id, signal, step);
      });
    },
    'moment.peek': async ({ vmId: ofId, momentId }) => {
      const planned = await parts.peeks.plan(await opened(ofId), momentId);
      const { id: vmId, name, peek } = planned.spec;
      await parts.peeks.make(planned);
      const told = { kind: 'moment.peek', vmId, title: `Peek at ${peek?.momentName ?? name}` } as const;
      return {
        vmId,
        taskId: tasks.start({ ...told, canCancel: true, work: run => parts.peeks.start(planned, run) }),
      };
    },
    'moment.delete': async ({ vmId, momentId }) => {
      await storage.call('moment.delete', { vmId: await opened(vmId), momentId });
      await machines.purgeOldTrash(vmId);
      await moments.sweep(vmId);
      return {};
    },
    'moment.restore': async ({ vmId, momentId }) => {
      const back = await storage.call('moment.restore', { vmId: await opened(vmId), momentId });
      // The point is back. Only its protection from retention may be missing.
      orLater(
        () => parts.histories.spare(vmId, back),
        `vm ${vmId}: that ${momentId} was restored`,
        parts.log,
      );
      return back;
    },
    ...historyHandlers(parts.histories),
    'trash.purge': async ({ vmId, ...which }) => {
      const all = { vmId: await opened(vmId), trashedBefore: Number.MAX_SAFE_INTEGER };
      const purged = await storage.call('trash.purge', { ...all, ...which });
      await moments.sweep(vmId);
      return purged;
    },
    'moment.cost': async ({ vmId, momentId }) =>
      storage.call('moment.cost', { vmId: await opened(vmId), momentId }),
    'moment.compare': async ({ vmId, fromId, toId }) =>
      storage.call('moment.compare', { vmId: await opened(vmId), fromId, toId }),
    'moment.export': async (params, context) => {
      if (params.path !== null) refuseBrowser(context);
      const vmId = await opened(params.vmId);
      const found = await parts.pointWriter.find({ ...params, vmName: machines.spec(vmId).name });
      const planned = parts.pointWriter.named(found, isBeingWritten);
      return { path: planned.path, ...startLong(vmId, 'Export', { what: 'export', ...planned }) };
    },
    'moment.files': async ({ folder, ...where }) =>
      parts.pointFiles.list({ ...where, vmId: await opened(where.vmId) }, folder),
    'moment.copy-files': async ({ ...wanted }, context) => {
      if (wanted.folder !== null) refuseBrowser(context);
      const vmId = await opened(wanted.vmId);
      const name = (await storage.call('timeline.get', { vmId })).moments.find(
        ({ id }) => id === wanted.momentId,
      )?.name;
      const vmName = machines.spec(vmId).name;
      const admit = (folder: string): void => parts.rules.requireOut(folder);
      const planned = parts.pointFiles.plan({ ...wanted, vmName }, name ?? '', parts.day(), admit);
      const copy: WorkOf = (_, run) => parts.pointFiles.copy(planned, run);
      return { folder: planned.folder, ...start('moment.export', vmId, 'Restore files of', true, copy) };
    },
    'vm.rescue': ({ vmId, replace }) =>
      tasks.whileHeld(idle(vmId, true), () => machines.rescue(vmId, replace)),
    'moment.serve': async (params, context) => {
      refuseBrowser(context);
      return parts.pointServer.serve({ ...params, vmId: await opened(params.vmId) }, context);
    },
    'moment.export-delta': async (params, context) => {
      if (params.path !== null) refuseBrowser(context);
      const vmId = await opened(params.vmId);
      const found = await parts.deltaExporter.find({ ...params, vmName: machines.spec(vmId).name });
      const planned = parts.deltaExporter.named(found, isBeingWritten);
      const order = { what: 'export-delta', ...planned } as const;
      return { path: planned.path, ...startLong(vmId, 'Export an update of', order) };
    },
    'moment.download': ({ taskId }, { caller }) => ({ ticket: downloads.ticket(taskId, caller) }),
    'file.download': ({ ticket, session }) => downloads.take(ticket, session),
    'moment.import-delta': async params => {
      const vmId = await opened(params.vmId);
      const planned = await parts.deltaImporter.plan({ ...params, file: files.get(params.file) });
      return startLong(vmId, 'Import an update of', { what: 'import-delta', ...planned });
    },
    'vm.verify': async ({ vmId }) => startLong(await opened(vmId), 'Check', { what: 'verify', vmId }),
    'vm.verify-report': ({ vmId }) => {
      machines.spec(vmId);
      return { report: parts.checks.report(vmId) };
    },
    'vm.compact': async ({ vmId }) => startLong(await opened(vmId), 'Compact', { what: 'compact', vmId }),
    'settle.set': async ({ vmId, to }) => {
      const done = await storage.call('settle.set', { vmId: await opened(vmId), to });
      if (to === 'run') await parts.histories.settleAnyway(vmId);
      return done;
    },

    'task.list': () => ({ tasks: tasks.list() }),
    'task.cancel': ({ taskId }) => {
      tasks.cancel(taskId);
      return {};
    },
    'task.pause': ({ taskId }) => {
      tasks.pause(taskId);
      return {};
    },
    'task.resume': ({ taskId }) => {
      tasks.resume(taskId);
      return {};
    },

    'file.register': ({ path }, context) => {
      refuseBrowser(context);
      return files.register(path);
    },

    ...auditing,
    ...parts.accessing,

    'console.open': async ({ vmId, of }, context) => {
      const supervisor = machines.supervisor(vmId);
      if (supervisor.state().pid === null) throw notRunning();
      await streamsOf(of).open(vmId, supervisor.socketPath(of === 'serial' ? of : 'vnc'), context);
      return {};
    },
    'console.send': async ({ vmId, of, base64 }, context) => {
      await streamsOf(of).send(vmId, base64, context);
      return {};
    },
    'console.close': async ({ vmId, of }, context) => {
      await streamsOf(of).close(vmId, context);
      return {};
    },
  };
  return onlyLooking(handlers, vmId => machines.peekOf(vmId));
}
