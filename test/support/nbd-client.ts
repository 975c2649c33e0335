// A raw NBD client for tests: says exactly what it is told, also what no honest client would.
import { createConnection, type Socket } from 'node:net';

export interface NbdReply {
  readonly cookie: bigint;
  readonly error: number;
  readonly data: Buffer;
  readonly type: 'simple' | number;
  readonly message: string;
}

export interface RawRequest {
  readonly command: number;
  readonly offset?: number | bigint;
  readonly length?: number;
  readonly flags?: number;
  readonly payload?: Uint8Array;
  readonly magic?: number;
}

/** Above every wait in these tests on a loaded machine. */
const PATIENCE_MS = 20_000;

export class NbdClient {
  readonly socket: Socket;
  sizeBytes = 0;
  flags = 0;
  isStructured = false;
  #received = Buffer.alloc(0);
  #wake: (() => void) | null = null;
  #isClosed = false;
  #cookie = 0n;
  readonly #reads = new Map<bigint, number>();

  private constructor(socket: Socket) {
    this.socket = socket;
    socket.on('data', chunk => {
      this.#received = Buffer.concat([this.#received, chunk]);
      this.#wake?.();
    });
    socket.on('error', () => socket.destroy());
    socket.on('close', () => {
      this.#isClosed = true;
      this.#wake?.();
    });
  }

  static async dial(path: string): Promise<NbdClient> {
    const socket = createConnection(path);
    const client = new NbdClient(socket);
    await new Promise<void>((resolve, reject) => {
      socket.once('connect', resolve);
      socket.once('error', reject);
    });
    return client;
  }

  /** Handshake through GO. */
  static async open(path: string, name = '', isStructured = false): Promise<NbdClient> {
    const client = await NbdClient.dial(path);
    await client.greet();
    if (isStructured) {
      await client.option(8);
      await client.option(10, metaData(name, ['base:allocation']));
      client.isStructured = true;
    }
    const replies = await client.option(7, goData(name));
    const info = replies.find(reply => reply.type === 3 && reply.data.readUInt16BE(0) === 0);
    if (info === undefined) throw new Error(`GO was refused: ${JSON.stringify(replies)}`);
    client.sizeBytes = Number(info.data.readBigUInt64BE(2));
    client.flags = info.data.readUInt16BE(10);
    return client;
  }

  async greet(clientFlags = 3): Promise<void> {
    await this.take(18);
    this.send(u32(clientFlags));
  }

  send(...parts: Uint8Array[]): void {
    this.socket.write(Buffer.concat(parts));
  }

  /** Sends an option, collects replies to its ACK or error. */
  async option(
    option: number,
    data: Uint8Array = Buffer.alloc(0),
  ): Promise<{ type: number; data: Buffer }[]> {
    this.send(Buffer.from('IHAVEOPT'), u32(option), u32(data.length), data);
    const replies: { type: number; data: Buffer }[] = [];
    for (;;) {
      const header = await this.take(20);
      const type = header.readUInt32BE(12);
      replies.push({ type, data: await this.take(header.readUInt32BE(16)) });
      if (type === 1 || type >= 0x80000000) return replies;
    }
  }

  /** Sends without waiting; answers its cookie. */
  post({ command, offset = 0, length = 0, flags = 0, payload, magic = 0x25609513 }: RawRequest): bigint {
    const cookie = ++this.#cookie;
    const header = Buffer.alloc(28);
    header.writeUInt32BE(magic, 0);
    header.writeUInt16BE(flags, 4);
    header.writeUInt16BE(command, 6);
    header.writeBigUInt64BE(cookie, 8);
    header.writeBigUInt64BE(BigInt(offset), 16);
    header.writeUInt32BE(payload?.length ?? length, 24);
    if (command === 0) this.#reads.set(cookie, length);
    this.send(header, payload ?? Buffer.alloc(0));
    return cookie;
  }

  async call(request: RawRequest): Promise<NbdReply> {
    const cookie = this.post(request);
    const reply = await this.reply();
    if (reply.cookie !== cookie) throw new Error(`reply to ${reply.cookie}, not ${cookie}`);
    return reply;
  }

  /** The next reply, whichever it is for. */
  async reply(): Promise<NbdReply> {
    const magic = (await this.take(4)).readUInt32BE(0);
    if (magic === 0x67446698) {
      const head = await this.take(12);
      const cookie = head.readBigUInt64BE(4);
      const error = head.readUInt32BE(0);
      const length = error === 0 && !this.isStructured ? (this.#reads.get(cookie) ?? 0) : 0;
      return { cookie, error, data: await this.take(length), type: 'simple', message: '' };
    }
    if (magic !== 0x668e33ef) throw new Error(`reply magic 0x${magic.toString(16)}`);
    const head = await this.take(16);
    const payload = await this.take(head.readUInt32BE(12));
    return structured(head.readUInt16BE(2), head.readBigUInt64BE(4), payload);
  }

  async take(count: number): Promise<Buffer> {
    while (this.#received.length < count) {
      if (this.#isClosed) throw new Error('connection closed');
      await this.#change();
    }
    const taken = this.#received.subarray(0, count);
    this.#received = this.#received.subarray(count);
    return taken;
  }

  /** What has come and nobody took. */
  rest(): Buffer {
    return this.#received;
  }

  /** Resolves when the server has closed; throws when it does not. */
  async closed(): Promise<void> {
    while (!this.#isClosed) await this.#change();
  }

  close(): void {
    this.socket.destroy();
  }

  #change(): Promise<void> {
    return new Promise((resolve, reject) => {
      const timer = setTimeout(() => reject(new Error(`nothing came in ${PATIENCE_MS} ms`)), PATIENCE_MS);
      this.#wake = () => {
        clearTimeout(timer);
        resolve();
      };
    });
  }
}

function structured(type: number, cookie: bigint, payload: Buffer): NbdReply {
  const base = { cookie, type, error: 0, message: '' };
  if (type === 1) return { ...base, data: payload.subarray(8) };
  if (type === 2) return { ...base, data: Buffer.alloc(payload.readUInt32BE(8)) };
  if (type === 32769) {
    return {
      ...base,
      error: payload.readUInt32BE(0),
      data: Buffer.alloc(0),
      message: payload.toString('utf8', 6),
    };
  }
  return { ...base, data: payload };
}

export const u32 = (value: number): Buffer => {
  const bytes = Buffer.alloc(4);
  bytes.writeUInt32BE(value);
  return bytes;
};

const named = (name: string): Buffer => Buffer.concat([u32(Buffer.byteLength(name)), Buffer.from(name)]);

export const goData = (name: string): Buffer => Buffer.concat([named(name), Buffer.from([0, 1, 0, 3])]);

export const metaData = (name: string, queries: readonly string[]): Buffer =>
  Buffer.concat([named(name), u32(queries.length), ...queries.map(named)]);
