// The NBD servers of one VM: one per disk, or one per point that is read. Owns the sockets, not the volumes.
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
  /** Promises, so that two calls at once share one server. */
  readonly #servers = new Map<string, { readonly socketPath: string; readonly server: Promise<NbdServer> }>();

  constructor(options: ExportsOptions) {
    this.#options = options;
  }

  get openCount(): number {
    return this.#servers.size;
  }

  has(name: string): boolean {
    return this.#servers.has(name);
  }

  /** Idempotent for one path. Another path is refused while a client uses the first. */
  async open(name: string, volume: Volume, socketPath: string): Promise<void> {
    const known = this.#servers.get(name);
    if (known?.socketPath === socketPath) {
      await known.server;
      return;
    }
    if (known !== undefined) {
      if ((await known.server).connectionCount() > 0) throw new Fault(inUse(name, known.socketPath));
      await this.close(name);
    }
    const server = serveNbd({ ...this.#options, socketPath, exports: [{ name, volume }] });
    this.#servers.set(name, { socketPath, server });
    try {
      await server;
    } catch (error) {
      this.#servers.delete(name);
      throw error;
    }
  }

  async close(name: string): Promise<void> {
    const known = this.#servers.get(name);
    this.#servers.delete(name);
    await (await known?.server)?.close();
  }

  async closeAll(): Promise<void> {
    await Promise.all([...this.#servers.keys()].map(name => this.close(name)));
  }
}

const inUse = (name: string, socketPath: string) => ({
  code: 'disk.in-use' as const,
  what: `${name} is served at ${socketPath} and a client is connected there.`,
  safe: 'That client is not disturbed.',
  todo: 'Stop the VM, or use the same socket.',
});
