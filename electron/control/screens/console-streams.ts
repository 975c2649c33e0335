// A VM's screen for one connection: RFB bytes between its VNC socket and the contract's own stream. Bounded; ends with
// the connection, with the VM, or when asked.
import type { VmId } from '../../../shared/ids.ts';
import { Fault } from '../../../shared/result.ts';
import type { CallContext } from '../../../shared/rpc/server.ts';
import type { ByteStream } from '../../platform/byte-stream.ts';

interface Wish extends Pick<CallContext, 'caller' | 'emit'> {
  readonly vmId: VmId;
}
interface Open extends Wish {
  readonly stream: ByteStream;
}

const STREAMS_PER_CALLER_MAX = 4;
/** Keys and pointer moves that QEMU has not read: seconds of a person's typing are a few hundred bytes. */
const UNSENT_BYTES_MAX = 1024 * 1024;
const PIECE_BYTES = 256 * 1024;

export class ConsoleStreams {
  readonly #connect: (path: string) => Promise<ByteStream>;
  readonly #streams = new Map<string, Open>();
  /** Streams that are being opened: the last wish for each, unless it was closed meanwhile. */
  readonly #opening = new Map<string, Wish>();
  /** Connections whose end ends their streams. */
  readonly #callers = new Set<number>();

  constructor(connect: (path: string) => Promise<ByteStream>) {
    this.#connect = connect;
  }

  /** A second open of the same screen by the same connection replaces the first. */
  async open(vmId: VmId, socketPath: string, context: CallContext): Promise<void> {
    const { caller, emit } = context;
    const key = `${caller.id}/${vmId}`;
    this.#end(key);
    if (this.#keysOf(caller).length >= STREAMS_PER_CALLER_MAX) {
      throw new Fault({
        code: 'limit.reached',
        what: `${STREAMS_PER_CALLER_MAX} screens are open in this window.`,
        safe: 'They stay open.',
        todo: 'Close one first.',
      });
    }
    const wish = { caller, emit, vmId };
    this.#opening.set(key, wish);
    this.#endWith(caller);
    const stream = await this.#connect(socketPath).catch((cause: unknown) => {
      if (this.#opening.get(key) === wish) this.#opening.delete(key);
      throw cause;
    });
    if (this.#opening.get(key) !== wish) return stream.destroy();
    this.#opening.delete(key);
    this.#streams.set(key, { ...wish, stream });
    stream.onData(chunk => {
      if (this.#streams.get(key)?.stream !== stream) return;
      for (let at = 0; at < chunk.length; at += PIECE_BYTES) {
        emit('console', vmId, {
          base64: chunk.subarray(at, at + PIECE_BYTES).toString('base64'),
          end: false,
        });
      }
    });
    stream.onClose(() => {
      // A stream that was closed or replaced tells no end: the stream after it would take that for its own.
      if (this.#streams.get(key)?.stream !== stream) return;
      this.#streams.delete(key);
      emit('console', vmId, { base64: '', end: true });
    });
  }

  send(vmId: VmId, base64: string, { caller }: CallContext): void {
    const open = this.#streams.get(`${caller.id}/${vmId}`);
    if (open === undefined) {
      throw new Fault({
        code: 'vm.wrong-state',
        what: 'This screen is not open.',
        safe: 'Nothing was sent.',
        todo: 'Open the console again.',
      });
    }
    // A QEMU that does not read its screen's socket hears nothing of what follows either.
    if (open.stream.unsentBytes() <= UNSENT_BYTES_MAX) open.stream.write(Buffer.from(base64, 'base64'));
    else open.stream.destroy();
  }

  close(vmId: VmId, { caller }: CallContext): void {
    this.#end(`${caller.id}/${vmId}`);
  }

  /** Browsers may not look any more: ends their streams, also those that are being opened. */
  endOfBrowsers(): void {
    for (const [key, { caller, emit, vmId }] of [...this.#opening, ...this.#streams]) {
      if (caller.kind !== 'browser') continue;
      this.#end(key);
      emit('console', vmId, { base64: '', end: true });
    }
  }

  /** Open or being opened. */
  #keysOf({ id }: Wish['caller']): string[] {
    return [...this.#streams.keys(), ...this.#opening.keys()].filter(key => key.startsWith(`${id}/`));
  }

  #endWith(caller: Wish['caller']): void {
    if (this.#callers.has(caller.id)) return;
    this.#callers.add(caller.id);
    caller.onGone(() => {
      this.#callers.delete(caller.id);
      for (const key of this.#keysOf(caller)) this.#end(key);
    });
  }

  #end(key: string): void {
    const open = this.#streams.get(key);
    this.#streams.delete(key);
    this.#opening.delete(key);
    open?.stream.destroy();
  }
}
