// The client end of a contract over one channel: typed calls, cancellation, subscriptions. Validates what it
// receives: a browser tab may be older than the service.

import type * as z from 'zod';
import type { ErrorBody } from '../errors.ts';
import { Fault } from '../result.ts';
import type { Channel } from './channel.ts';
import { FRAME_BYTES_MAX, type Frame, isOversize, PROTOCOL_VERSION, parseFrame } from './frame.ts';
import { contractHash } from './hash.ts';
import type { ContractTable, MethodName, MethodResult, Payload, TopicName } from './table.ts';

export type CallParams<C extends ContractTable, M extends MethodName<C>> = z.input<C['methods'][M]['params']>;

export interface Client<C extends ContractTable> {
  call<M extends MethodName<C>>(
    method: M,
    params: CallParams<C, M>,
    options?: { readonly signal?: AbortSignal },
  ): Promise<MethodResult<C, M>>;
  /** `onEnd` hears why the service ended it (overflow, bad topic). Returns the unsubscribe. */
  subscribe<T extends TopicName<C>>(
    topic: T,
    key: string | null,
    listener: (payload: Payload<C, T>, revision: number) => void,
    onEnd?: (error: ErrorBody) => void,
  ): () => void;
  /** Resolves when both ends have agreed; rejects with rpc.version-mismatch or rpc.unavailable. */
  readonly ready: Promise<void>;
  onClose(listener: () => void): void;
  close(): void;
}

interface Call {
  readonly method: string;
  readonly resolve: (value: unknown) => void;
  readonly reject: (error: Fault) => void;
}
interface Subscription {
  readonly topic: string;
  readonly listener: (payload: unknown, revision: number) => void;
  readonly onEnd: (error: ErrorBody) => void;
}

const UNAVAILABLE: ErrorBody = {
  code: 'rpc.unavailable',
  what: 'The connection to the Ebb service ended before the answer.',
  safe: 'VMs keep running without it.',
  todo: 'Connect again; a change may or may not have been made, so look before repeating it.',
};

const NOT_SENT: ErrorBody = {
  code: 'cancelled',
  what: 'The call was cancelled before it was sent.',
  safe: 'Nothing was changed.',
  todo: 'Nothing.',
};

const otherForm = (what: string): ErrorBody => ({
  code: 'rpc.version-mismatch',
  what,
  safe: 'VMs keep running.',
  todo: 'Reload the window, or restart Ebb after an update.',
});

const tooLong = (method: string): ErrorBody => ({
  code: 'rpc.bad-request',
  what: `The call ${method} is longer than a frame may be (${FRAME_BYTES_MAX} bytes).`,
  safe: 'Nothing was sent.',
  todo: 'Send it in parts.',
});

/** Wraps an open channel; says hello at once. */
export function connectClient<C extends ContractTable>(table: C, channel: Channel): Client<C> {
  const client = new ChannelClient(table, channel);
  return client as unknown as Client<C>;
}

class ChannelClient {
  readonly ready: Promise<void>;
  readonly #table: ContractTable;
  readonly #channel: Channel;
  readonly #calls = new Map<number, Call>();
  readonly #subscriptions = new Map<number, Subscription>();
  #nextId = 1;
  #isOpen = true;
  #settleReady: { resolve: () => void; reject: (error: Fault) => void } | null = null;

  constructor(table: ContractTable, channel: Channel) {
    this.#table = table;
    this.#channel = channel;
    this.ready = new Promise((resolve, reject) => {
      this.#settleReady = { resolve, reject };
    });
    // Callers need not wait for `ready`: without agreement every call fails by itself.
    this.ready.catch(() => undefined);
    channel.onMessage(text => this.#receive(text));
    channel.onClose(() => this.#end());
    this.#send({ t: 'hello', protocol: PROTOCOL_VERSION, contract: contractHash(table) });
  }

  call(method: string, params: unknown, options: { readonly signal?: AbortSignal } = {}): Promise<unknown> {
    const { signal } = options;
    if (!this.#isOpen) return Promise.reject(new Fault(UNAVAILABLE));
    if (signal?.aborted === true) return Promise.reject(new Fault(NOT_SENT));
    const id = this.#nextId++;
    const text = JSON.stringify({ t: 'request', id, method, params } satisfies Frame);
    if (isOversize(text)) return Promise.reject(new Fault(tooLong(method)));
    return new Promise((resolve, reject) => {
      const cancel = (): void => this.#send({ t: 'cancel', id });
      // A long-lived signal must not collect a listener per call.
      const settle = (): void => signal?.removeEventListener('abort', cancel);
      this.#calls.set(id, {
        method,
        resolve: value => {
          settle();
          resolve(value);
        },
        reject: error => {
          settle();
          reject(error);
        },
      });
      signal?.addEventListener('abort', cancel, { once: true });
      this.#channel.send(text);
    });
  }

  subscribe(
    topic: string,
    key: string | null,
    listener: (payload: unknown, revision: number) => void,
    onEnd: (error: ErrorBody) => void = () => undefined,
  ): () => void {
    if (!this.#isOpen) {
      queueMicrotask(() => onEnd(UNAVAILABLE));
      return () => undefined;
    }
    const id = this.#nextId++;
    this.#subscriptions.set(id, { topic, listener, onEnd });
    this.#send({ t: 'subscribe', id, topic, key });
    return () => {
      if (this.#subscriptions.delete(id)) this.#send({ t: 'unsubscribe', id });
    };
  }

  onClose(listener: () => void): void {
    this.#channel.onClose(listener);
  }

  close(): void {
    this.#channel.close();
    this.#end();
  }

  #send(frame: Frame): void {
    if (this.#isOpen) this.#channel.send(JSON.stringify(frame));
  }

  #end(error: ErrorBody = UNAVAILABLE): void {
    if (!this.#isOpen) return;
    this.#isOpen = false;
    const fault = new Fault(error);
    this.#settleReady?.reject(fault);
    for (const call of this.#calls.values()) call.reject(fault);
    this.#calls.clear();
    for (const subscription of this.#subscriptions.values()) subscription.onEnd(error);
    this.#subscriptions.clear();
  }

  #receive(text: string): void {
    const frame = parseFrame(text);
    if (frame === null) return this.close();
    switch (frame.t) {
      case 'hello':
        return this.#hello(frame.protocol, frame.contract);
      case 'reply':
        return this.#reply(frame.id, frame.result);
      case 'fault':
        return this.#fault(frame.id, frame.error);
      case 'event':
        return this.#event(frame.id, frame.revision, frame.payload);
      default:
        return this.close();
    }
  }

  #hello(protocol: number, hash: string): void {
    const own = contractHash(this.#table);
    if (protocol === PROTOCOL_VERSION && hash === own) return this.#settleReady?.resolve();
    const what = `The service speaks protocol ${protocol} contract ${hash}; this client speaks ${PROTOCOL_VERSION} contract ${own}.`;
    this.#end(otherForm(what));
    this.#channel.close();
  }

  #reply(id: number, result: unknown): void {
    const call = this.#calls.get(id);
    if (call === undefined) return;
    this.#calls.delete(id);
    const parsed = this.#table.methods[call.method]?.result.safeParse(result);
    if (parsed?.success === true) return call.resolve(parsed.data);
    const why = parsed?.error?.issues[0]?.message ?? 'unknown method';
    call.reject(new Fault(otherForm(`The answer to ${call.method} was not of the contract's form: ${why}.`)));
  }

  #fault(id: number, error: ErrorBody): void {
    const call = this.#calls.get(id);
    this.#calls.delete(id);
    const subscription = this.#subscriptions.get(id);
    this.#subscriptions.delete(id);
    call?.reject(new Fault(error));
    subscription?.onEnd(error);
    if (id === 0) this.#end(error);
  }

  #event(id: number, revision: number, payload: unknown): void {
    const subscription = this.#subscriptions.get(id);
    if (subscription === undefined) return;
    const parsed = this.#table.topics[subscription.topic]?.payload.safeParse(payload);
    if (parsed?.success === true) return subscription.listener(parsed.data, revision);
    this.#subscriptions.delete(id);
    this.#send({ t: 'unsubscribe', id });
    const why = parsed?.error?.issues[0]?.message ?? 'unknown topic';
    subscription.onEnd(
      otherForm(`An event of "${subscription.topic}" was not of the contract's form: ${why}.`),
    );
  }
}
