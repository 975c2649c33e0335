// The storage main process's handlers: each call about a VM goes on to that VM's worker. Holds no disk state.
import type { VmId } from '../../shared/ids.ts';
import { Fault } from '../../shared/result.ts';
import type { CallContext, Handlers } from '../../shared/rpc/server.ts';
import type { MethodName, MethodResult, Params } from '../../shared/rpc/table.ts';
import type { Topics } from '../../shared/rpc/topics.ts';
import type { Clock } from '../platform/ports.ts';
import type { StorageContract } from './contract.ts';
import { VmHost, type WorkerLink } from './vm-host.ts';

/** Each open VM is a thread with its caches; this is far above what a host runs. */
const VMS_MAX = 200;

export interface StorageServiceOptions {
  readonly pid: number;
  readonly version: string;
  readonly startWorker: (vmId: VmId) => WorkerLink;
  readonly topics: Topics<StorageContract>;
  readonly clock: Clock;
  readonly log: (line: string) => void;
  /** Called after the answer to storage.quit has left. */
  readonly quit: () => void;
}

export interface StorageService {
  readonly handlers: Handlers<StorageContract>;
  /** Closes every VM; one that fails to close does not keep the others open. */
  close(): Promise<void>;
}

type ByVm = { readonly vmId: VmId };
type PerVm = Exclude<
  MethodName<StorageContract>,
  'storage.info' | 'storage.quit' | 'vm.open' | 'vm.rescue' | 'vm.close' | 'vm.rest'
>;

export function createStorageService(options: StorageServiceOptions): StorageService {
  const hosts = new Map<VmId, VmHost>();

  const hostOf = ({ vmId }: ByVm): VmHost => {
    const host = hosts.get(vmId);
    if (host === undefined) throw new Fault(notOpen(vmId));
    return host;
  };
  const forward: Forward =
    method =>
    (params, { signal }) =>
      hostOf(params as ByVm).call(method, params as never, { signal });

  const openVm = async ({ vmId, folder }: ByVm & { folder: string }) => {
    const known = hosts.get(vmId);
    if (known !== undefined && known.folder !== folder)
      throw new Fault(elsewhere(vmId, known.folder, folder));
    if (known === undefined && hosts.size >= VMS_MAX) throw new Fault(tooMany());
    const host = known ?? new VmHost({ ...options, vmId, folder });
    hosts.set(vmId, host);
    try {
      return await host.open();
    } catch (error) {
      if (known === undefined) hosts.delete(vmId);
      throw error;
    }
  };
  const closeVm = async ({ vmId }: ByVm) => {
    const host = hosts.get(vmId);
    try {
      await host?.close();
    } finally {
      // Its worker is gone either way. What it could not write, the next opening recovers.
      if (hosts.get(vmId) === host) hosts.delete(vmId);
    }
    return {};
  };
  const close = async (): Promise<void> => {
    const closed = await Promise.allSettled([...hosts.keys()].map(vmId => closeVm({ vmId })));
    for (const row of closed) if (row.status === 'rejected') options.log(`closing: ${String(row.reason)}`);
  };

  const handlers: Handlers<StorageContract> = {
    'storage.info': () => ({ pid: options.pid, version: options.version, openVms: [...hosts.keys()] }),
    'storage.quit': async () => {
      await close();
      options.quit();
      return {};
    },
    'vm.open': openVm,
    'vm.rescue': async ({ vmId, folder, replace }, { signal }) => {
      if (hosts.has(vmId)) throw new Fault(isOpen(vmId));
      const link = options.startWorker(vmId);
      try {
        return await link.client.call('vm.rescue', { vmId, folder, replace }, { signal });
      } finally {
        await link.terminate();
      }
    },
    'vm.close': closeVm,
    'vm.rest': async params => ({ isAtRest: await hostOf(params).rest() }),
    'settle.hold': params => hosts.get(params.vmId)?.holdSettling(params) ?? {},
    'export.open': params => hostOf(params).openExport(params),
    'export.close': params => hostOf(params).closeExport(params),
    'point.open': params => hostOf(params).openPoint(params),
    'point.close': params => hostOf(params).closePoint(params),
    ...forwarded(forward),
  };
  return { handlers, close };
}

type Forward = <M extends PerVm>(
  method: M,
) => (params: Params<StorageContract, M>, context: CallContext) => Promise<MethodResult<StorageContract, M>>;

/** Calls that the VM's worker answers itself. */
const forwarded = (forward: Forward) => ({
  'disk.create': forward('disk.create'),
  'disk.grow': forward('disk.grow'),
  'point.share': forward('point.share'),
  'disk.adopt': forward('disk.adopt'),
  'point.find': forward('point.find'),
  'graft.open': forward('graft.open'),
  'graft.commit': forward('graft.commit'),
  'graft.discard': forward('graft.discard'),
  'delta.some': forward('delta.some'),
  'timeline.get': forward('timeline.get'),
  'moment.take': forward('moment.take'),
  'moment.update': forward('moment.update'),
  'moment.go-back': forward('moment.go-back'),
  'moment.delete': forward('moment.delete'),
  'moment.restore': forward('moment.restore'),
  'trash.purge': forward('trash.purge'),
  'moment.cost': forward('moment.cost'),
  'moment.compare': forward('moment.compare'),
  'verify.some': forward('verify.some'),
  'settle.set': forward('settle.set'),
  'settle.compact': forward('settle.compact'),
  'point.hash': forward('point.hash'),
});

const isOpen = (vmId: VmId) => ({
  code: 'disk.in-use' as const,
  what: `VM ${vmId} is open, so its timeline can be read.`,
  safe: 'Nothing was changed.',
  todo: 'Stop the VM first.',
});

const notOpen = (vmId: VmId) => ({
  code: 'vm.not-found' as const,
  what: `Storage has no VM ${vmId} open.`,
  safe: 'Its disks were not touched.',
  todo: 'Open it with vm.open first.',
});

const elsewhere = (vmId: VmId, found: string, asked: string) => ({
  code: 'disk.owned-elsewhere' as const,
  what: `VM ${vmId} is open in ${found}, not in ${asked}.`,
  safe: 'Neither folder was changed.',
  todo: 'Close it first.',
});

const tooMany = () => ({
  code: 'limit.reached' as const,
  what: `${VMS_MAX} VMs are open, which is as many as storage serves.`,
  safe: 'Open VMs are not affected.',
  todo: 'Stop a VM that is not needed.',
});
