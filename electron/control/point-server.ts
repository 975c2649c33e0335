// Points served read-only by NBD to programs of the person's own, for as long as the connection lives that asked for it.
import { isAbsolute } from 'node:path';
import type { DiskId, MomentId, PointId, VmId } from '../../shared/ids.ts';
import { Fault } from '../../shared/result.ts';
import type { CallContext } from '../../shared/rpc/server.ts';
import type { StorageClient } from '../storage/client.ts';
import { nbdUri } from './nbd-uri.ts';

/** Per connection. */
const SERVED_MAX = 16;
/** A socket's path holds 107 bytes; some are left for the listener's own name beside it. */
const PATH_MAX = 100;

export interface PointServerPorts {
  readonly storage: StorageClient;
  /** Private, short, and new at every call. */
  readonly readerSocket: (vmId: VmId) => string;
  readonly exists: (path: string) => boolean;
  readonly log: (line: string) => void;
}

export interface WantedServing {
  readonly vmId: VmId;
  readonly momentId: MomentId;
  readonly diskId: DiskId | null;
  readonly socketPath: string | null;
}

export interface Serving {
  readonly uri: string;
  readonly socketPath: string;
  readonly exportName: string;
  readonly virtualBytes: number;
}

export class PointServer {
  readonly #ports: PointServerPorts;
  readonly #served = new Map<number, number>();
  /** By socket. */
  readonly #points = new Map<string, PointId>();

  constructor(ports: PointServerPorts) {
    this.#ports = ports;
  }

  /** Faults: moment.not-found, disk.not-found, file.unreadable (the socket's place), limit.reached. */
  async serve(wanted: WantedServing, { caller }: Pick<CallContext, 'caller'>): Promise<Serving> {
    const { storage, readerSocket, log } = this.#ports;
    const { vmId, momentId, diskId } = wanted;
    const { moments } = await storage.call('timeline.get', { vmId });
    const moment = moments.find(({ id }) => id === momentId);
    const point = moment?.points.find(row => diskId === null || row.diskId === diskId);
    if (point === undefined) throw noSuch(moment === undefined);
    if (wanted.socketPath !== null) this.#checkPlace(wanted.socketPath);
    const count = this.#served.get(caller.id) ?? 0;
    if (count >= SERVED_MAX) throw tooMany();
    this.#served.set(caller.id, count + 1);
    const socketPath = wanted.socketPath ?? readerSocket(vmId);
    const { pointId } = point;
    const opened = await storage
      .call('point.open', { vmId, pointId, socketPath, isHeld: true })
      .catch((cause: unknown) => {
        this.#servedLess(caller.id);
        throw cause;
      });
    this.#points.set(socketPath, pointId);
    caller.onGone(() => {
      this.#points.delete(socketPath);
      this.#servedLess(caller.id);
      storage.call('point.close', { vmId, socketPath }).catch((cause: unknown) => {
        log(`vm ${vmId}: no longer serving ${pointId}: ${String(cause)}`);
      });
    });
    return { uri: nbdUri(opened.exportName, socketPath), socketPath, ...opened };
  }

  /** Those that are served now. */
  points(): PointId[] {
    return [...this.#points.values()];
  }

  #servedLess(caller: number): void {
    const left = (this.#served.get(caller) ?? 0) - 1;
    if (left > 0) this.#served.set(caller, left);
    else this.#served.delete(caller);
  }

  /** Whoever listens there replaces what stands there: nothing of anybody's may. */
  #checkPlace(path: string): void {
    const { exists } = this.#ports;
    const why = !isAbsolute(path)
      ? 'does not say where it is'
      : Buffer.byteLength(path) > PATH_MAX
        ? `has ${Buffer.byteLength(path)} bytes, a socket's path at most ${PATH_MAX}`
        : exists(path)
          ? 'is there already'
          : null;
    if (why === null) return;
    throw new Fault({
      code: 'file.unreadable',
      what: `${path} ${why}.`,
      safe: 'Nothing was written there.',
      todo: 'Choose another path for the socket.',
    });
  }
}

const noSuch = (isMoment: boolean): Fault =>
  new Fault({
    code: isMoment ? 'moment.not-found' : 'disk.not-found',
    what: isMoment ? 'There is no such point.' : 'That point has no such disk.',
    safe: 'Nothing was opened.',
    todo: 'Look at the timeline again.',
  });

const tooMany = (): Fault =>
  new Fault({
    code: 'limit.reached',
    what: `${SERVED_MAX} points are served for this connection.`,
    safe: 'They stay so.',
    todo: 'End one first.',
  });
