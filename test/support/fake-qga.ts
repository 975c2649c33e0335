// A QEMU guest agent behind a socket, as QEMU's chardev is one: what a real one says to what control asks
// (qemu-ga 7.2, docs/interop/qemu-ga-ref), and whatever a hostile guest says instead.
import { createServer, type Server, type Socket } from 'node:net';

interface Asked {
  readonly execute: string;
  readonly arguments?: Readonly<Record<string, unknown>>;
}

export class FakeAgent {
  readonly files = new Map<string, string>();
  readonly asked: string[] = [];
  /** Handles that were opened and not closed. */
  readonly handles = new Map<number, string>();
  connections = 0;
  /** Null: as a real one; else what is written instead, for that command. */
  instead: (asked: Asked) => Buffer | null = () => null;
  readonly #server: Server;
  readonly #sockets = new Set<Socket>();
  #nextHandle = 1000;

  private constructor() {
    this.#server = createServer(socket => this.#accept(socket));
  }

  static async listen(path: string): Promise<FakeAgent> {
    const agent = new FakeAgent();
    await new Promise<void>(resolve => agent.#server.listen(path, resolve));
    return agent;
  }

  say(bytes: Buffer | string): void {
    for (const socket of this.#sockets) socket.write(bytes);
  }

  get openSockets(): number {
    return this.#sockets.size;
  }

  /** What the listener has not taken yet. */
  unsentBytes(): number {
    return [...this.#sockets].reduce((sum, socket) => sum + socket.writableLength, 0);
  }

  async close(): Promise<void> {
    for (const socket of this.#sockets) socket.destroy();
    await new Promise(resolve => this.#server.close(resolve));
  }

  #accept(socket: Socket): void {
    this.connections++;
    this.#sockets.add(socket);
    socket.on('close', () => this.#sockets.delete(socket));
    socket.on('error', () => socket.destroy());
    let held = '';
    socket.on('data', (bytes: Buffer) => {
      held += bytes.toString('latin1');
      for (let end = held.indexOf('\n'); end >= 0; end = held.indexOf('\n')) {
        // 0xFF makes the parser begin anew.
        const line = held.slice(held.lastIndexOf('\xff', end) + 1, end);
        held = held.slice(end + 1);
        this.#serve(socket, JSON.parse(line) as Asked);
      }
    });
  }

  #serve(socket: Socket, asked: Asked): void {
    this.asked.push(asked.execute);
    const instead = this.instead(asked);
    if (instead !== null) return void socket.write(instead);
    const answer = this.#answer(asked);
    if (asked.execute === 'guest-sync-delimited') socket.write(Buffer.from([0xff]));
    socket.write(`${JSON.stringify(answer)}\n`);
  }

  #answer({ execute, arguments: given = {} }: Asked): unknown {
    const refuse = (desc: string): unknown => ({ error: { class: 'GenericError', desc } });
    switch (execute) {
      case 'guest-sync-delimited':
        return { return: given.id };
      case 'guest-file-open': {
        const text = this.files.get(String(given.path));
        if (text === undefined)
          return refuse(`failed to open file '${given.path}' (mode: 'r'): No such file or directory`);
        this.#nextHandle++;
        this.handles.set(this.#nextHandle, text);
        return { return: this.#nextHandle };
      }
      case 'guest-file-read': {
        const text = this.handles.get(Number(given.handle));
        if (text === undefined) return refuse(`handle '${given.handle}' has not been found`);
        const bytes = Buffer.from(text, 'latin1').subarray(0, Number(given.count));
        return { return: { count: bytes.length, 'buf-b64': bytes.toString('base64'), eof: true } };
      }
      case 'guest-file-close':
        this.handles.delete(Number(given.handle));
        return { return: {} };
      default:
        return { error: { class: 'CommandNotFound', desc: `The command ${execute} has not been found` } };
    }
  }
}

/** As Linux 6.1 prints them. */
export const pressureText = (some: string, full = '0.00'): string =>
  `some avg10=${some} avg60=1.00 avg300=0.10 total=12345\nfull avg10=${full} avg60=0.00 avg300=0.00 total=99\n`;
export const swapText = (totalKib: number | bigint, freeKib: number | bigint): string =>
  `MemTotal:         494604 kB\nMemFree:          395000 kB\nMemAvailable:     400000 kB\nSwapTotal:       ${totalKib} kB\nSwapFree:        ${freeKib} kB\n`;
