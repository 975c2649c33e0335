// One VM's worker, seen from the storage main process: starts it, and after its death (a bug of ours) opens
// the folder and the exports again in a new one, at the same socket paths. Never reads a disk itself.
//
//   closed ──open──▶ starting ──▶ up ──worker dies──▶ starting …
//                        │         └─ unneeded ──▶ at rest ──call──▶ starting …
//                        └─ too many deaths ──▶ failed ──open──▶ starting

import { errorText } from '../../shared/errors.ts';
import type { DiskId, PointId, VmId } from '../../shared/ids.ts';
import type { Log } from '../../shared/log.ts';
import { Fault } from '../../shared/result.ts';
import type { CallParams, Client } from '../../shared/rpc/client.ts';
import type { MethodName, MethodResult, Params } from '../../shared/rpc/table.ts';
import type { Topics } from '../../shared/rpc/topics.ts';
import type { Timeline } from '../../shared/timeline.ts';
import type { Clock, Timer } from '../platform/ports.ts';
import type { StorageContract } from './contract.ts';

/** A running worker. `onExit` tells why it ended; null when that was wanted. */
export interface WorkerLink {
  readonly client: Client<StorageContract>;
  onExit(listener: (why: string | null) => void): void;
  terminate(): Promise<void>;
}

/** A worker that dies this often within the window has a bug that restarting does not cure. */
const DEATHS_MAX = 5;
const DEATHS_WINDOW_MS = 60_000;
/**
 * How long an idle worker, which holds ten MiB and more, is kept for somebody who looks at a history again.
 */
const REST_AFTER_MS = 30_000;

export interface VmHostOptions {
  readonly vmId: VmId;
  readonly folder: string;
  readonly startWorker: (vmId: VmId) => WorkerLink;
  readonly topics: Topics<StorageContract>;
  readonly clock: Clock;
  readonly log: Log;
}

export class VmHost {
  readonly folder: string;
  readonly #options: VmHostOptions;
  readonly #exports = new Map<DiskId, string>();
  /** Points that are served, by socket path, until told otherwise (T8). */
  readonly #held = new Map<string, PointId>();
  #up: Promise<WorkerLink> | null = null;
  #deathsMs: number[] = [];
  #isClosing = false;
  #isHeldBack = false;
  #callsUnderWay = 0;
  #restTimer: Timer | null = null;
  #resting: Promise<unknown> | null = null;

  constructor(options: VmHostOptions) {
    this.#options = options;
    this.folder = options.folder;
  }

  /** Idempotent. Faults: those of vm.open. */
  async open(): Promise<Timeline> {
    const { vmId } = this.#options;
    this.#deathsMs = [];
    return this.call('timeline.get', { vmId });
  }

  async openExport(params: Params<StorageContract, 'export.open'>): Promise<{
    exportName: string;
    virtualBytes: number;
  }> {
    const isRenewed = params.isReopened || (await this.#renew());
    const result = await this.call('export.open', params).catch((cause: unknown) => {
      throw !isRenewed && cause instanceof Fault && cause.body.code === 'disk.poisoned'
        ? stillRead(cause)
        : cause;
    });
    this.#exports.set(params.diskId, params.socketPath);
    return result;
  }

  /** T14: opens anew a disk that is not written any more, so that it is believed. False: it is in use. */
  async #renew(): Promise<boolean> {
    const { disks } = await this.call('timeline.get', { vmId: this.#options.vmId });
    return disks.every(({ poisoned }) => poisoned === null) || (await this.rest());
  }

  async closeExport(params: Params<StorageContract, 'export.close'>): Promise<Record<string, never>> {
    this.#exports.delete(params.diskId);
    return this.call('export.close', params);
  }

  async openPoint(params: Params<StorageContract, 'point.open'>) {
    const result = await this.call('point.open', params);
    if (params.isHeld) this.#held.set(params.socketPath, params.pointId);
    return result;
  }

  async closePoint(params: Params<StorageContract, 'point.close'>): Promise<Record<string, never>> {
    if (params.socketPath === null) this.#held.clear();
    else this.#held.delete(params.socketPath);
    return this.call('point.close', params);
  }

  /** Passes a call on to the worker, or its successor. A call under way at a death is not repeated. */
  async call<M extends MethodName<StorageContract>>(
    method: M,
    params: CallParams<StorageContract, M>,
    options?: { readonly signal?: AbortSignal },
  ): Promise<MethodResult<StorageContract, M>> {
    this.#callsUnderWay += 1;
    this.#restTimer?.cancel();
    try {
      return await (await this.#worker()).client.call(method, params, options);
    } finally {
      this.#callsUnderWay -= 1;
      this.#restLater();
    }
  }

  /** Kept for later workers, too. A resting worker has nothing to settle. */
  async holdSettling(params: Params<StorageContract, 'settle.hold'>): Promise<Record<string, never>> {
    this.#isHeldBack = params.isHeld;
    return this.#up === null ? {} : this.call('settle.hold', params);
  }

  /** Gives the worker's memory back where nobody needs it; a call starts another. Answers whether it did. */
  async rest(): Promise<boolean> {
    const isNeeded = this.#callsUnderWay > 0 || this.#exports.size > 0 || this.#held.size > 0;
    if (isNeeded || this.#isClosing || this.#resting !== null) return false;
    const resting = this.#tryToRest();
    this.#resting = resting;
    try {
      return await resting;
    } finally {
      this.#resting = null;
    }
  }

  /** Has the worker flush, quiesce and unlock, then ends it. */
  async close(): Promise<void> {
    this.#isClosing = true;
    this.#restTimer?.cancel();
    await this.#resting;
    const { vmId, topics } = this.#options;
    const link = await this.#up?.catch(() => null);
    this.#up = null;
    if (link !== null && link !== undefined) {
      try {
        await link.client.call('vm.close', { vmId });
      } finally {
        await link.terminate();
      }
    }
    topics.forget('timeline', vmId);
  }

  /** Calls that come meanwhile wait: two workers must never have one folder. */
  async #tryToRest(): Promise<boolean> {
    const { vmId, log } = this.#options;
    const up = this.#up;
    const link = await up?.catch(() => null);
    if (link === null || link === undefined) return true;
    try {
      if (!(await link.client.call('vm.rest', { vmId })).isAtRest) return false;
    } catch (cause) {
      // As when closing: what the worker could not write, the next opening recovers.
      log(`vm ${vmId}: its storage worker did not rest: ${String(cause)}`, 'error');
    }
    if (this.#up === up) this.#up = null;
    await link.terminate();
    return true;
  }

  #restLater(): void {
    this.#restTimer?.cancel();
    if (this.#isClosing || this.#callsUnderWay > 0 || this.#exports.size > 0 || this.#held.size > 0) return;
    this.#restTimer = this.#options.clock.after(REST_AFTER_MS, () => {
      void this.rest().then(isAtRest => {
        if (!isAtRest) this.#restLater();
      });
    });
  }

  async #worker(): Promise<WorkerLink> {
    await this.#resting;
    return this.#upOrStarted();
  }

  #upOrStarted(): Promise<WorkerLink> {
    if (this.#isClosing) return Promise.reject(unavailable('is being closed'));
    if (this.#deathsMs.length >= DEATHS_MAX) {
      return Promise.reject(unavailable(`failed ${DEATHS_MAX} times within a minute`));
    }
    if (this.#up !== null) return this.#up;
    const up = this.#start();
    this.#up = up;
    up.catch(() => {
      if (this.#up === up) this.#up = null;
    });
    return up;
  }

  async #start(): Promise<WorkerLink> {
    const { vmId, folder, startWorker, topics } = this.#options;
    const link = startWorker(vmId);
    link.onExit(why => this.#exited(link, why));
    try {
      await link.client.call('vm.open', { vmId, folder });
      link.client.subscribe('timeline', vmId, timeline => topics.publish('timeline', vmId, timeline));
      if (this.#isHeldBack) await link.client.call('settle.hold', { vmId, isHeld: true });
      for (const [diskId, socketPath] of this.#exports) {
        await link.client.call('export.open', { vmId, diskId, socketPath, isReopened: true });
      }
      await this.#holdAgain(link);
      return link;
    } catch (error) {
      await link.terminate();
      throw error;
    }
  }

  /** A point that cannot be served to its readers keeps no guest from its disks. */
  async #holdAgain({ client }: WorkerLink): Promise<void> {
    const { vmId, log } = this.#options;
    for (const [socketPath, pointId] of this.#held)
      try {
        await client.call('point.open', { vmId, pointId, socketPath, isHeld: true });
      } catch (cause) {
        log(`vm ${vmId}: point ${pointId} is not served again: ${String(cause)}`, 'error');
      }
  }

  /** T11: the new worker opens the exports without being asked, since the guests are waiting for them. */
  #exited(link: WorkerLink, why: string | null): void {
    if (why === null) return;
    const { vmId, clock, log } = this.#options;
    log(
      `vm ${vmId}: its storage worker died${this.#isClosing ? ' while it was closed' : ''}: ${why}`,
      'error',
    );
    if (this.#isClosing) return;
    const now = clock.monotonicMs();
    this.#deathsMs = [...this.#deathsMs.filter(at => now - at < DEATHS_WINDOW_MS), now];
    // Calls under way must not hang on a port nobody answers.
    link.client.close();
    this.#up = null;
    this.#worker().then(
      () => this.#restLater(),
      (error: unknown) =>
        log(
          `vm ${vmId}: not reopened: ${error instanceof Fault ? errorText(error.body) : String(error)}`,
          'error',
        ),
    );
  }
}

const unavailable = (why: string): Fault =>
  new Fault({
    code: 'storage.unavailable',
    what: `The storage worker of this VM ${why}.`,
    safe: 'Everything that was flushed is on its disks.',
    todo: 'Open the VM again; if it fails again, read storage.log.',
  });

/** T14: the disk's files must be opened anew, but somebody has them open. */
const stillRead = ({ body }: Fault): Fault =>
  new Fault({
    ...body,
    todo: 'Check the host disk. Close what looks at points of this VM and let its tasks end, then start it again.',
  });
