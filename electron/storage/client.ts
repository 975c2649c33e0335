// Control's only door to storage. Finds the storage process or starts it. After its death it starts storage
// again and reopens every VM and export at the same socket path at once: the guests are waiting (T11). Keeps
// no disk state.
//
//   down ──connect, or spawn and connect──▶ reopening ──▶ up ──channel closes──▶ down …
import type { DiskId, PointId, VmId } from '../../shared/ids.ts';
import { Fault, messageOf } from '../../shared/result.ts';
import type { Channel } from '../../shared/rpc/channel.ts';
import { type CallParams, type Client, connectClient } from '../../shared/rpc/client.ts';
import type { MethodName, MethodResult } from '../../shared/rpc/table.ts';
import type { Timeline } from '../../shared/timeline.ts';
import type { Clock } from '../platform/ports.ts';
import { type StorageContract, storageContract } from './contract.ts';

/** A call made while storage is away waits this long for it; QEMU's own patience is longer. */
const PATIENCE_MS = 20_000;
/** A cold start takes about half a second; a crash loop must not spin. */
const RETRY_MS = 50;
const RETRY_MS_MAX = 2_000;
/** A process just started gets this long to listen before another is started. */
const SPAWN_GRACE_MS = 5_000;

export interface StorageClientOptions {
  readonly connect: () => Promise<Channel>;
  /** Starts the storage process, detached; resolves when it exists, not when it serves. */
  readonly spawn: () => Promise<unknown>;
  readonly clock: Clock;
  readonly log: (line: string) => void;
}

interface OpenVm {
  readonly folder: string;
  readonly exports: Map<DiskId, string>;
  /** Settling is held, until control says otherwise. */
  isSettlingHeld: boolean;
  /** Points that are served, by socket path, until control says otherwise. */
  readonly held: Map<string, PointId>;
}
interface Waiter {
  resolve(client: Client<StorageContract>): void;
  reject(error: Fault): void;
}
type Call = <M extends MethodName<StorageContract>>(
  method: M,
  params: CallParams<StorageContract, M>,
  options?: { readonly signal?: AbortSignal },
) => Promise<MethodResult<StorageContract, M>>;

export class StorageClient {
  readonly #options: StorageClientOptions;
  readonly #vms = new Map<VmId, OpenVm>();
  readonly #listeners = new Set<(vmId: VmId, timeline: Timeline) => void>();
  readonly #waiters = new Set<Waiter>();
  /** By VM, the function that ends the subscription to its timeline. */
  readonly #watches = new Map<VmId, () => void>();
  #up: Client<StorageContract> | null = null;
  #isConnecting = false;
  #isDisposed = false;
  #spawnedAtMs: number | null = null;

  constructor(options: StorageClientOptions) {
    this.#options = options;
  }

  /** Connects, starting storage where it is absent. Reconnects by itself after storage's later deaths. */
  start(): void {
    void this.#connect();
  }

  onTimeline(listener: (vmId: VmId, timeline: Timeline) => void): () => void {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  }

  /** Waits while storage is away. A call under way when it dies is not repeated (rpc.unavailable). */
  readonly call: Call = async (method, params, options) =>
    (await this.#client()).call(method, params, options);

  /** The VM is open from now on, and opened again after each death of storage, until closeVm. */
  async openVm(vmId: VmId, folder: string): Promise<Timeline> {
    const client = await this.#client();
    const timeline = await client.call('vm.open', { vmId, folder });
    if (!this.#vms.has(vmId))
      this.#vms.set(vmId, { folder, exports: new Map(), held: new Map(), isSettlingHeld: false });
    this.#watch(client, vmId);
    return timeline;
  }

  async closeVm(vmId: VmId): Promise<void> {
    this.#watches.get(vmId)?.();
    this.#watches.delete(vmId);
    this.#vms.delete(vmId);
    await this.call('vm.close', { vmId });
  }

  async openExport(
    vmId: VmId,
    diskId: DiskId,
    socketPath: string,
    isReopened = false,
  ): Promise<{ exportName: string }> {
    const { exportName } = await this.call('export.open', { vmId, diskId, socketPath, isReopened });
    this.#vms.get(vmId)?.exports.set(diskId, socketPath);
    return { exportName };
  }

  async closeExport(vmId: VmId, diskId: DiskId): Promise<void> {
    this.#vms.get(vmId)?.exports.delete(diskId);
    await this.call('export.close', { vmId, diskId });
  }

  /** T8: serves a point at this socket and keeps it unpurged, over storage's deaths, until `letGo`. */
  async holdPoint(vmId: VmId, pointId: PointId, socketPath: string): Promise<{ exportName: string }> {
    await this.letGo(vmId, socketPath);
    const opened = await this.call('point.open', { vmId, pointId, socketPath, isHeld: true });
    this.#vms.get(vmId)?.held.set(socketPath, pointId);
    return opened;
  }

  async letGo(vmId: VmId, socketPath: string): Promise<void> {
    this.#vms.get(vmId)?.held.delete(socketPath);
    await this.call('point.close', { vmId, socketPath });
  }

  /** Holds settling or lets it run, also over storage's deaths: one that has just begun would settle. */
  async holdSettling(vmId: VmId, isHeld: boolean): Promise<void> {
    const vm = this.#vms.get(vmId);
    if (vm !== undefined) vm.isSettlingHeld = isHeld;
    await this.call('settle.hold', { vmId, isHeld });
  }

  async healthy(): Promise<void> {
    await this.call('storage.info', {});
  }

  async isSpoiled(vmId: VmId): Promise<boolean> {
    const { disks } = await this.call('timeline.get', { vmId });
    return disks.some(({ poisoned }) => poisoned !== null);
  }

  /** Closes the connection; storage runs on. */
  dispose(): void {
    this.#isDisposed = true;
    this.#up?.close();
    this.#failWaiters(away('Ebb is ending'));
  }

  #watch(client: Client<StorageContract>, vmId: VmId): void {
    this.#watches.get(vmId)?.();
    const stop = client.subscribe('timeline', vmId, timeline => {
      for (const listener of this.#listeners) listener(vmId, timeline);
    });
    this.#watches.set(vmId, stop);
  }

  #client(): Promise<Client<StorageContract>> {
    if (this.#up !== null) return Promise.resolve(this.#up);
    if (this.#isDisposed) return Promise.reject(new Fault(away('Ebb is ending')));
    return new Promise((resolve, reject) => {
      const timer = this.#options.clock.after(PATIENCE_MS, () => {
        this.#waiters.delete(waiter);
        reject(new Fault(away(`it did not answer within ${PATIENCE_MS / 1000} s`)));
      });
      const waiter: Waiter = {
        resolve: client => {
          timer.cancel();
          resolve(client);
        },
        reject: fault => {
          timer.cancel();
          reject(fault);
        },
      };
      this.#waiters.add(waiter);
      void this.#connect();
    });
  }

  #failWaiters(body: Fault['body']): void {
    for (const waiter of this.#waiters) waiter.reject(new Fault(body));
    this.#waiters.clear();
  }

  /** Tries with growing pauses until connected; one attempt runs at a time. */
  async #connect(): Promise<void> {
    if (this.#isConnecting || this.#up !== null) return;
    this.#isConnecting = true;
    const { clock, log } = this.#options;
    try {
      for (let waitMs = RETRY_MS; !this.#isDisposed; waitMs = Math.min(waitMs * 2, RETRY_MS_MAX)) {
        try {
          await this.#open();
          return;
        } catch (cause) {
          if (cause instanceof Fault && cause.body.code === 'rpc.version-mismatch') {
            // The other version serves guests; starting a second storage would not cure the mismatch. The
            // next call tries again.
            log(`storage: ${cause.body.what}`);
            this.#failWaiters(cause.body);
            return;
          }
          if (waitMs > 400) log(`storage: not there yet: ${messageOf(cause)}`);
          await this.#spawnOnce();
        }
        await new Promise<void>(resolve => clock.after(waitMs, resolve));
      }
    } finally {
      this.#isConnecting = false;
    }
  }

  async #spawnOnce(): Promise<void> {
    const now = this.#options.clock.monotonicMs();
    if (this.#spawnedAtMs !== null && now - this.#spawnedAtMs < SPAWN_GRACE_MS) return;
    this.#spawnedAtMs = now;
    this.#options.log('storage: starting it');
    try {
      await this.#options.spawn();
    } catch (cause) {
      this.#options.log(`storage: could not be started: ${messageOf(cause)}`);
    }
  }

  async #open(): Promise<void> {
    const client = connectClient(storageContract, await this.#options.connect());
    await client.ready;
    for (const [vmId, vm] of this.#vms) await this.#reopen(client, vmId, vm);
    if (this.#isDisposed) return client.close();
    this.#up = client;
    this.#spawnedAtMs = null;
    client.onClose(() => {
      if (this.#up !== client) return;
      this.#up = null;
      if (this.#isDisposed) return;
      this.#options.log('storage: it is gone');
      void this.#connect();
    });
    for (const waiter of this.#waiters) waiter.resolve(client);
    this.#waiters.clear();
  }

  /** T8: a point that cannot be served to its readers keeps no guest from its disks. */
  async #holdAgain(client: Client<StorageContract>, vmId: VmId, vm: OpenVm): Promise<void> {
    for (const [socketPath, pointId] of vm.held)
      try {
        await client.call('point.close', { vmId, socketPath });
        await client.call('point.open', { vmId, pointId, socketPath, isHeld: true });
      } catch (cause) {
        this.#options.log(`storage: point ${pointId} is not served again: ${messageOf(cause)}`);
      }
  }

  /** T11: reopens first what guests wait for. A VM that cannot be reopened keeps no other waiting. */
  async #reopen(client: Client<StorageContract>, vmId: VmId, vm: OpenVm): Promise<void> {
    try {
      await client.call('vm.open', { vmId, folder: vm.folder });
      if (vm.isSettlingHeld) await client.call('settle.hold', { vmId, isHeld: true });
      for (const [diskId, socketPath] of vm.exports) {
        await client.call('export.open', { vmId, diskId, socketPath, isReopened: true });
      }
      this.#watch(client, vmId);
      await this.#holdAgain(client, vmId, vm);
    } catch (cause) {
      this.#options.log(`storage: VM ${vmId} could not be reopened: ${messageOf(cause)}`);
      this.#options.clock.after(RETRY_MS_MAX, () => {
        if (this.#up === client && this.#vms.get(vmId) === vm) void this.#reopen(client, vmId, vm);
      });
    }
  }
}

const away = (why: string): Fault['body'] => ({
  code: 'storage.unavailable',
  what: `The storage service is away: ${why}.`,
  safe: 'Running VMs wait for their disks; everything they flushed is safe.',
  todo: 'It is started again by itself; try again in a moment.',
});
