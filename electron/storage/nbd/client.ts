// Writes into an NBD export: a client that can do what the reader of foreign images needs, and no more.
// Requests go out ahead of their replies, within bounds; the first error ends the connection. Speaks to our
// own server alone.
import type { ErrorCode } from '../../../shared/errors.ts';
import { Fault } from '../../../shared/result.ts';
import type { ByteStream } from '../../platform/byte-stream.ts';
import {
  NBD_CMD,
  NBD_FLAG_FIXED_NEWSTYLE,
  NBD_FLAG_NO_ZEROES,
  NBD_IHAVEOPT,
  NBD_MAGIC,
  NBD_OPT,
  NBD_REP,
  NBD_REQUEST_MAGIC,
  NBD_SIMPLE_REPLY_MAGIC,
  OPTION_HEADER_BYTES,
  REQUEST_BYTES,
  SIMPLE_REPLY_BYTES,
} from './wire.ts';

/** Writes without a reply yet: 8 MiB at pieces of 256 KiB. */
const WAITING_MAX = 32;
const ENOSPC = 28;
const GREETING_BYTES = 18;
const OPTION_REPLY_BYTES = 20;
/** The longest reply to an option; ours are some tens of bytes. */
const REPLY_BYTES_MAX = 64 * 1024;

export class NbdWriter {
  readonly #stream: ByteStream;
  #received = Buffer.alloc(0);
  #isClosed = false;
  #wake: () => void = () => undefined;
  #waiting = 0;
  #cookie = 0n;

  private constructor(stream: ByteStream) {
    this.#stream = stream;
    stream.onData(chunk => {
      this.#received = Buffer.concat([this.#received, chunk]);
      this.#wake();
    });
    stream.onClose(() => {
      this.#isClosed = true;
      this.#wake();
    });
  }

  /** Throws Fault storage.unavailable where there is no such export. */
  static async open(stream: ByteStream, exportName: string): Promise<NbdWriter> {
    const writer = new NbdWriter(stream);
    const greeting = await writer.#take(GREETING_BYTES);
    if (greeting.readBigUInt64BE(0) !== NBD_MAGIC || greeting.readBigUInt64BE(8) !== NBD_IHAVEOPT)
      throw failed('it does not greet as an NBD server');
    const name = Buffer.from(exportName);
    const option = Buffer.alloc(4 + OPTION_HEADER_BYTES + 4 + name.length + 2);
    option.writeUInt32BE(NBD_FLAG_FIXED_NEWSTYLE | NBD_FLAG_NO_ZEROES, 0);
    option.writeBigUInt64BE(NBD_IHAVEOPT, 4);
    option.writeUInt32BE(NBD_OPT.GO, 12);
    option.writeUInt32BE(name.length + 6, 16);
    option.writeUInt32BE(name.length, 20);
    name.copy(option, 24);
    stream.write(option);
    for (;;) {
      const head = await writer.#take(OPTION_REPLY_BYTES);
      const [type, length] = [head.readUInt32BE(12), head.readUInt32BE(16)];
      if (length > REPLY_BYTES_MAX) throw failed(`an option's reply has ${length} bytes`);
      await writer.#take(length);
      if (type === NBD_REP.ACK) return writer;
      if (type !== NBD_REP.INFO) throw failed(`there is no export ${exportName}`);
    }
  }

  /** Resolves when another write may follow. Faults: disk.full, disk.io, storage.unavailable. */
  async write(bytes: Uint8Array, offset: number): Promise<void> {
    await this.#send(NBD_CMD.WRITE, offset, bytes.length, bytes);
  }

  async zero(offset: number, length: number): Promise<void> {
    await this.#send(NBD_CMD.WRITE_ZEROES, offset, length, null);
  }

  /** Makes everything written durable, then closes the connection. */
  async finish(): Promise<void> {
    await this.#drain(0);
    await this.#send(NBD_CMD.FLUSH, 0, 0, null);
    await this.#drain(0);
    this.#stream.write(this.#header(NBD_CMD.DISC, 0, 0));
    this.#stream.end();
  }

  #header(command: number, offset: number, length: number): Buffer {
    const header = Buffer.alloc(REQUEST_BYTES);
    header.writeUInt32BE(NBD_REQUEST_MAGIC, 0);
    header.writeUInt16BE(command, 6);
    header.writeBigUInt64BE(++this.#cookie, 8);
    header.writeBigUInt64BE(BigInt(offset), 16);
    header.writeUInt32BE(length, 24);
    return header;
  }

  async #send(command: number, offset: number, length: number, payload: Uint8Array | null): Promise<void> {
    await this.#drain(WAITING_MAX - 1);
    this.#stream.write(this.#header(command, offset, length));
    if (payload !== null) this.#stream.write(payload);
    this.#waiting++;
  }

  async #drain(most: number): Promise<void> {
    while (this.#waiting > most || this.#received.length >= SIMPLE_REPLY_BYTES) {
      const reply = await this.#take(SIMPLE_REPLY_BYTES);
      if (reply.readUInt32BE(0) !== NBD_SIMPLE_REPLY_MAGIC) throw failed('its reply is none');
      this.#waiting--;
      const errno = reply.readUInt32BE(4);
      if (errno !== 0) throw refusal(errno);
    }
  }

  async #take(count: number): Promise<Buffer> {
    while (this.#received.length < count) {
      if (this.#isClosed) throw failed('it closed the connection');
      await new Promise<void>(resolve => {
        this.#wake = resolve;
      });
    }
    const taken = this.#received.subarray(0, count);
    this.#received = this.#received.subarray(count);
    return taken;
  }
}

const fault = (code: ErrorCode, what: string, todo: string): Fault =>
  new Fault({ code, what, safe: 'The original was only read; nothing was created.', todo });

const refusal = (errno: number): Fault =>
  errno === ENOSPC
    ? fault('disk.full', 'The disk filled up while the image was copied.', 'Free some space, then try again.')
    : fault(
        'disk.io',
        `Writing the copy failed (errno ${errno}).`,
        'Check the disk VMs are on, then try again.',
      );

const failed = (why: string): Fault =>
  fault('storage.unavailable', `Storage ended while the image was copied: ${why}.`, 'Try again.');
