// The gateway's way to control: a socket per page, one local client for uploads. Starts control again after a crash,
// never after it was asked to quit: then its lock is gone.
import { Fault } from '../../../shared/result.ts';
import { type Client, connectClient } from '../../../shared/rpc/client.ts';
import { type Contract, contract } from '../../../shared/rpc/contract.ts';
import { ensureControl } from '../../control/start-on-demand.ts';
import { readLock } from '../../platform/lock.ts';
import type { EbbPaths } from '../../platform/paths.ts';
import { connectUnix, type SocketChannel } from '../../transport/unix-socket.ts';

export class ControlLink {
  readonly #paths: EbbPaths;
  #local: Promise<Client<Contract>> | null = null;

  constructor(paths: EbbPaths) {
    this.#paths = paths;
  }

  async connectBrowser(): Promise<SocketChannel> {
    const { browserSocket, controlLock, dataFolder } = this.#paths;
    try {
      return await connectUnix(browserSocket);
    } catch (error) {
      const hasCrashed = error instanceof Fault && readLock(controlLock) !== null;
      if (!hasCrashed) throw error;
      (await ensureControl(dataFolder)).channel.close();
      return connectUnix(browserSocket);
    }
  }

  async registerFile(path: string): Promise<{ file: string; bytes: number }> {
    this.#local ??= this.#connectLocal();
    const client = await this.#local;
    return client.call('file.register', { path });
  }

  #connectLocal(): Promise<Client<Contract>> {
    const opening = (async () => {
      const client = connectClient(contract, await connectUnix(this.#paths.controlSocket));
      client.onClose(() => this.#forget(opening));
      await client.ready;
      return client;
    })();
    opening.catch(() => this.#forget(opening));
    return opening;
  }

  #forget(ended: Promise<Client<Contract>>): void {
    if (this.#local === ended) this.#local = null;
  }
}
