// Serves points read-only by NBD to people's own programs, for as long as the connection lives that asked for
// it.
import { isAbsolute } from 'node:path';
import type { DiskId, MomentId, PointId, VmId } from '../../../shared/ids.ts';
import { Fault } from '../../../shared/result.ts';
import type { CallContext } from '../../../shared/rpc/server.ts';
import type { StorageClient } from '../../storage/client.ts';
import { nbdUri } from '../nbd-uri.ts';
import { pointNamed } from './named-point.ts';

/** Per connection. */
const SERVED_MAX = 16;
/** A socket's path holds 107 bytes; some are left for the listener's own name beside it. */
const PATH_MAX = 100;

export interface PointServerPorts {
  readonly storage: StorageClient;
  /** Private, short, and new at every call. */
  readonly readerSocket: (vmId: VmId) => string;
  readonly exists: (path: string) => boolean;
  /** Fault policy.denied. */
  readonly requireAllowed: () => void;
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
  /** The points that are served now, by socket path. */
  readonly #points = new Map<string, { readonly vmId: VmId; readonly pointId: PointId }>();

  constructor(ports: PointServerPorts) {
    this.#ports = ports;
  }

  /** Faults: moment.not-found, disk.not-found, file.unreadable (the socket's place), limit.reached. */
  async serve(wanted: WantedServing, { caller }: Pick<CallContext, 'caller'>): Promise<Serving> {
    const { storage, readerSocket, requireAllowed } = this.#ports;
    const { vmId } = wanted;
    const { moments } = await storage.call('timeline.get', { vmId });
    const { pointId } = pointNamed(moments, wanted, 'Nothing was opened.').point;
    if (wanted.socketPath !== null) this.#checkPlace(wanted.socketPath);
    const count = this.#served.get(caller.id) ?? 0;
    if (count >= SERVED_MAX) throw tooMany();
    this.#served.set(caller.id, count + 1);
    const socketPath = wanted.socketPath ?? readerSocket(vmId);
    const opened = await storage
      .call('point.open', { vmId, pointId, socketPath, isHeld: true })
      .catch((cause: unknown) => {
        this.#servedLess(caller.id);
        throw cause;
      });
    this.#points.set(socketPath, { vmId, pointId });
    caller.onGone(() => {
      this.#servedLess(caller.id);
      this.#end(socketPath);
    });
    try {
      // The policy may have forbidden it while the point was being opened.
      requireAllowed();
    } catch (cause) {
      this.#end(socketPath);
      throw cause;
    }
    return { uri: nbdUri(opened.exportName, socketPath), socketPath, ...opened };
  }

  /** The points that are served now. */
  points(): PointId[] {
    return [...this.#points.values()].map(({ pointId }) => pointId);
  }

  /** The policy allows it no more: ends all serving, also of programs that are reading. */
  endAll(): void {
    for (const socketPath of [...this.#points.keys()]) this.#end(socketPath);
  }

  #end(socketPath: string): void {
    const { storage, log } = this.#ports;
    const served = this.#points.get(socketPath);
    if (served === undefined) return;
    this.#points.delete(socketPath);
    const { vmId, pointId } = served;
    storage.call('point.close', { vmId, socketPath }).catch((cause: unknown) => {
      log(`vm ${vmId}: no longer serving ${pointId}: ${String(cause)}`);
    });
  }

  #servedLess(caller: number): void {
    const left = (this.#served.get(caller) ?? 0) - 1;
    if (left > 0) this.#served.set(caller, left);
    else this.#served.delete(caller);
  }

  /** Listening replaces what is at that path: so nothing may be there. */
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

const tooMany = (): Fault =>
  new Fault({
    code: 'limit.reached',
    what: `${SERVED_MAX} points are served for this connection.`,
    safe: 'They stay so.',
    todo: 'End one first.',
  });
