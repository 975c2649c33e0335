// The NBD servers of one VM, one per exported disk. Owns the sockets, not the volumes.
import type { DiskId } from '../../shared/ids.ts';
import { Fault } from '../../shared/result.ts';
import type { ListenUnix, NextTurn } from '../platform/byte-stream.ts';
import type { Clock } from '../platform/ports.ts';
import { type NbdServer, serveNbd } from './nbd/server.ts';
import type { Volume } from './volume.ts';

export interface ExportsOptions {
  readonly listen: ListenUnix;
  readonly clock: Clock;
  readonly nextTurn: NextTurn;
  readonly log: (line: string) => void;
  readonly onBug: (error: unknown) => void;
}

export class Exports {
  readonly #options: ExportsOptions;
  /** Promises of servers, so that two calls at once share one server. */
  readonly #servers = new Map<DiskId, { readonly socketPath: string; readonly server: Promise<NbdServer> }>();

  constructor(options: ExportsOptions) {
    this.#options = options;
  }

  get openCount(): number {
    return this.#servers.size;
  }

  /** Idempotent for one path. Another path is refused while a client uses the first. */
  async open(diskId: DiskId, volume: Volume, socketPath: string): Promise<void> {
    const known = this.#servers.get(diskId);
    if (known?.socketPath === socketPath) {
      await known.server;
      return;
    }
    if (known !== undefined) {
      if ((await known.server).connectionCount() > 0) throw new Fault(inUse(diskId, known.socketPath));
      await this.close(diskId);
    }
    const server = serveNbd({ ...this.#options, socketPath, exports: [{ name: diskId, volume }] });
    this.#servers.set(diskId, { socketPath, server });
    try {
      await server;
    } catch (error) {
      this.#servers.delete(diskId);
      throw error;
    }
  }

  async close(diskId: DiskId): Promise<void> {
    const known = this.#servers.get(diskId);
    this.#servers.delete(diskId);
    await (await known?.server)?.close();
  }

  /** Makes clients of the disk connect again, so that they hear its new size. */
  async hangUp(diskId: DiskId): Promise<void> {
    (await this.#servers.get(diskId)?.server)?.hangUp();
  }

  async closeAll(): Promise<void> {
    await Promise.all([...this.#servers.keys()].map(diskId => this.close(diskId)));
  }
}

const inUse = (diskId: DiskId, socketPath: string) => ({
  code: 'disk.in-use' as const,
  what: `Disk ${diskId} is served at ${socketPath} and a client is connected there.`,
  safe: 'That client is not disturbed.',
  todo: 'Stop the VM, or use the same socket.',
});
