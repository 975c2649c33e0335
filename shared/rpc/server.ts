// The server end of one connection: hello, validated dispatch, cancellation, subscriptions with their two
// kinds of back-pressure. Knows nothing of transports, and of the caller only what `Caller` says.
import type * as z from 'zod';
import type { SessionId } from '../access.ts';
import type { ErrorBody } from '../errors.ts';
import { BugError, Fault } from '../result.ts';
import type { Role } from '../roles.ts';
import type { Channel } from './channel.ts';
import {
  CALLS_IN_FLIGHT_MAX,
  EVENT_QUEUE_MAX,
  FRAME_BYTES_MAX,
  type Frame,
  isOversize,
  PROTOCOL_VERSION,
  parseFrame,
  SUBSCRIPTIONS_MAX,
} from './frame.ts';
import { contractHash } from './hash.ts';
import type { Pace } from './pace.ts';
import { type ContractTable, type MethodName, mayRefuseWith, type Params } from './table.ts';
import type { Topics, TopicUpdate } from './topics.ts';

export interface Caller {
  readonly id: number;
  /** `browser`: came through the gateway; it and the desktop's `window` may not name paths (DESIGN §8). */
  readonly kind: 'local' | 'window' | 'browser';
  /** `administer` for a caller at this computer. */
  readonly role: Role;
  /** The name of the token a browser signed in with; empty: nobody by name. */
  readonly user: string;
  /** The session of a browser that signed in; null for every other caller. */
  readonly session: SessionId | null;
  /** Runs when the connection ends, however it ends; at once where it has ended already. */
  onGone(run: () => void): void;
}

export interface CallContext {
  readonly signal: AbortSignal;
  readonly caller: Caller;
  /** An event for this connection alone (console bytes). Dropped where it has no such subscription. */
  emit(topic: string, key: string | null, payload: unknown): void;
}

export type Handlers<C extends ContractTable> = {
  readonly [M in MethodName<C>]: (
    params: Params<C, M>,
    context: CallContext,
  ) => Promise<z.input<C['methods'][M]['result']>> | z.input<C['methods'][M]['result']>;
};

export interface ServeOptions<C extends ContractTable> {
  readonly table: C;
  readonly handlers: Handlers<C>;
  readonly topics: Pick<Topics<C>, 'kind' | 'subscribe'>;
  readonly channel: Channel;
  readonly kind: Caller['kind'];
  /** Default: `administer`. */
  readonly role?: Role;
  readonly user?: string;
  readonly session?: SessionId | null;
  /** Default: the caller may ask as often as it likes. */
  readonly pace?: Pace;
  /**
   * Hears of a throwable that is no Fault, which is logged under an incident id and never sent; and of a
   * fault that the method's row does not list, which is sent and logged.
   */
  readonly onBug: (incident: string, error: unknown) => void;
  /** Hears why this end hung up on the other, at most once. */
  readonly onHangUp?: (why: string) => void;
}

/** Above this, a state topic keeps only its newest value until the other side has read. */
const STATE_BUFFER_BYTES = 256 * 1024;
/** Above this many unread bytes the reader of an event topic counts as slow, and every event is queued. */
const EVENT_BUFFER_BYTES = 1024 * 1024;

/** A caller with more unread bytes than this is hung up on at its next frame. Holds two longest frames. */
const UNREAD_BYTES_MAX = 2 * FRAME_BYTES_MAX;

let connections = 0;
let incidents = 0;

const body = (code: ErrorBody['code'], what: string, todo: string): ErrorBody => ({
  code,
  what,
  safe: 'Nothing was changed.',
  todo,
});

interface Subscription {
  readonly topic: string;
  readonly key: string | null;
  readonly kind: 'state' | 'event';
  pending: TopicUpdate[];
  own: number;
  end: () => void;
}

/** Serves one channel until it closes. Returns a function that closes it. */
export function serve<C extends ContractTable>(options: ServeOptions<C>): () => void {
  const connection = new Connection(options);
  return () => connection.close();
}

class Connection<C extends ContractTable> {
  readonly #options: ServeOptions<C>;
  readonly #calls = new Map<number, AbortController>();
  readonly #subscriptions = new Map<number, Subscription>();
  readonly #gone: (() => void)[] = [];
  readonly #caller: Caller;
  #greeted = false;
  #open = true;

  constructor(options: ServeOptions<C>) {
    this.#options = options;
    connections += 1;
    const { kind, role = 'administer', user = '', session = null } = options;
    this.#caller = { id: connections, kind, role, user, session, onGone: run => this.#whenGone(run) };
    options.channel.onMessage(text => this.#receive(text));
    options.channel.onClose(() => this.#end());
    this.#send({ t: 'hello', protocol: PROTOCOL_VERSION, contract: contractHash(options.table) });
  }

  #whenGone(run: () => void): void {
    if (this.#open) this.#gone.push(run);
    else run();
  }

  close(): void {
    this.#options.channel.close();
    this.#end();
  }

  #hangUp(why: string): void {
    if (this.#open) this.#options.onHangUp?.(why);
    this.close();
  }

  #end(): void {
    if (!this.#open) return;
    this.#open = false;
    for (const call of this.#calls.values()) call.abort();
    for (const subscription of this.#subscriptions.values()) subscription.end();
    this.#subscriptions.clear();
    for (const run of this.#gone) run();
  }

  /** False where the frame is too long to be sent: the other end would hang up on it. */
  #send(frame: Frame): boolean {
    const text = JSON.stringify(frame);
    if (isOversize(text)) return false;
    if (this.#open) this.#options.channel.send(text);
    return true;
  }

  #receive(text: string): void {
    // A frame that was on its way when we hung up is not carried out.
    if (!this.#open) return;
    if (isOversize(text)) return this.#hangUp('it sent a frame that is too long');
    const frame = parseFrame(text);
    // Garbage means the other end is not ours or is broken, and no answer could be matched to it.
    if (frame === null) return this.#hangUp('it sent what is no frame');
    // A caller that asks but does not read our answers would fill our memory.
    if (this.#options.channel.bufferedBytes() > UNREAD_BYTES_MAX)
      return this.#hangUp('it does not read its answers');
    if (this.#options.pace?.take() === false) return this.#tooOften(frame);
    switch (frame.t) {
      case 'hello':
        return this.#hello(frame.protocol, frame.contract);
      case 'request':
        return void this.#request(frame.id, frame.method, frame.params);
      case 'cancel':
        return this.#calls.get(frame.id)?.abort();
      case 'subscribe':
        return this.#subscribe(frame.id, frame.topic, frame.key);
      case 'unsubscribe':
        return this.#unsubscribe(frame.id);
      default:
        return this.#hangUp(`it sent a frame of ours, ${frame.t}`);
    }
  }

  /** Answers a call with a fault. Frames of other kinds have no answer, so the connection is closed. */
  #tooOften(frame: Frame): void {
    if (frame.t !== 'request') return this.#hangUp('it goes on asking more often than it may');
    const what = 'This session asks more often than it may.';
    this.#fault(frame.id, body('limit.reached', what, 'Ask again in a second.'));
  }

  #hello(protocol: number, hash: string): void {
    const own = contractHash(this.#options.table);
    this.#greeted = protocol === PROTOCOL_VERSION && hash === own;
    if (this.#greeted) return;
    const what = `This client speaks protocol ${protocol} contract ${JSON.stringify(hash)}; the service speaks ${PROTOCOL_VERSION} contract ${own}.`;
    this.#fault(0, body('rpc.version-mismatch', what, 'Reload the window, or restart Ebb after an update.'));
    this.#hangUp(what);
  }

  #fault(id: number, error: ErrorBody): void {
    this.#send({ t: 'fault', id, error });
  }

  async #request(id: number, method: string, params: unknown): Promise<void> {
    const refusal = this.#refuse(id, method);
    if (refusal !== null) return this.#fault(id, refusal);
    const row = this.#options.table.methods[method];
    const handler = this.#options.handlers[method as MethodName<C>];
    const parsed = row?.params.safeParse(params);
    if (row === undefined || parsed === undefined || !parsed.success) {
      const what = `${method}: ${parsed?.error?.issues.map(issue => `${issue.path.join('.')} ${issue.message}`).join('; ')}.`;
      return this.#fault(
        id,
        body('rpc.bad-request', what.slice(0, 1900), 'Correct the call; see the contract.'),
      );
    }
    const abort = new AbortController();
    this.#calls.set(id, abort);
    try {
      const result = await handler(parsed.data as Params<C, MethodName<C>>, this.#context(abort.signal));
      const reply: Frame = { t: 'reply', id, result: row.result.parse(result) };
      if (!this.#send(reply)) throw new BugError(`the answer to ${method} is longer than a frame`);
    } catch (error) {
      const answer = this.#errorBody(error, abort.signal);
      if (!mayRefuseWith(row, answer.code))
        this.#options.onBug(method, new BugError(`refused with ${answer.code}, which its row does not list`));
      this.#fault(id, answer);
    } finally {
      this.#calls.delete(id);
    }
  }

  #refuse(id: number, method: string): ErrorBody | null {
    if (!this.#greeted)
      return body('rpc.version-mismatch', 'The first frame must be a hello.', 'Use the client.');
    if (this.#calls.size >= CALLS_IN_FLIGHT_MAX) {
      return body('limit.reached', `${CALLS_IN_FLIGHT_MAX} calls are under way.`, 'Wait for one to end.');
    }
    if (this.#calls.has(id))
      return body('rpc.bad-request', `Call ${id} is under way already.`, 'Use a new id.');
    if (!Object.hasOwn(this.#options.table.methods, method)) {
      return body('rpc.unknown-method', `There is no method "${method}".`, 'Use one of the contract.');
    }
    return null;
  }

  #context(signal: AbortSignal): CallContext {
    return {
      signal,
      caller: this.#caller,
      emit: (topic, key, payload) => {
        for (const [id, subscription] of this.#subscriptions) {
          if (subscription.topic !== topic || subscription.key !== key) continue;
          subscription.own += 1;
          this.#deliver(id, subscription, { revision: subscription.own, payload });
        }
      },
    };
  }

  #errorBody(error: unknown, signal: AbortSignal): ErrorBody {
    if (error instanceof Fault) return error.body;
    if (signal.aborted) return body('cancelled', 'The call was cancelled.', 'Nothing.');
    incidents += 1;
    const incident = `i${incidents}-${contractHash(this.#options.table).slice(0, 4)}`;
    this.#options.onBug(incident, error);
    const found = { code: 'internal', what: `Ebb made a mistake (incident ${incident}).`, incident } as const;
    return {
      ...found,
      safe: 'Running VMs and their disks are not affected.',
      todo: 'Try again; the log has the details.',
    };
  }

  #subscribe(id: number, topic: string, key: string | null): void {
    const row = this.#options.table.topics[topic];
    const kind = this.#options.topics.kind(topic);
    if (!this.#greeted || kind === null || row === undefined || row.keyed !== (key !== null)) {
      return this.#fault(
        id,
        body(
          'rpc.bad-request',
          `There is no topic "${topic}"${key === null ? '' : ' with a key'}.`,
          'Use one of the contract.',
        ),
      );
    }
    if (this.#subscriptions.size >= SUBSCRIPTIONS_MAX || this.#subscriptions.has(id)) {
      return this.#fault(
        id,
        body('limit.reached', `${SUBSCRIPTIONS_MAX} subscriptions are open, or ${id} is one.`, 'Close one.'),
      );
    }
    const subscription: Subscription = { topic, key, kind, pending: [], own: 0, end: () => undefined };
    this.#subscriptions.set(id, subscription);
    subscription.end = this.#options.topics.subscribe(topic, key, update =>
      this.#deliver(id, subscription, update),
    );
  }

  #unsubscribe(id: number): void {
    this.#subscriptions.get(id)?.end();
    this.#subscriptions.delete(id);
  }

  /** State: only the newest waits. Event: all wait, in order, up to a bound; then the reader is cut off. */
  #deliver(id: number, subscription: Subscription, update: TopicUpdate): void {
    const { channel } = this.#options;
    const limit = subscription.kind === 'state' ? STATE_BUFFER_BYTES : EVENT_BUFFER_BYTES;
    if (subscription.pending.length === 0 && channel.bufferedBytes() <= limit) {
      return this.#sendEvent(id, subscription, update);
    }
    const isWaiting = subscription.pending.length > 0;
    if (subscription.kind === 'state') subscription.pending = [update];
    else subscription.pending.push(update);
    if (subscription.pending.length > EVENT_QUEUE_MAX) {
      const what = `More than ${EVENT_QUEUE_MAX} events of "${subscription.topic}" were not read.`;
      return this.#cutOff(id, what);
    }
    if (!isWaiting) channel.onDrain(() => this.#drain(id, subscription, limit));
  }

  #drain(id: number, subscription: Subscription, limit: number): void {
    const { channel } = this.#options;
    while (this.#subscriptions.get(id) === subscription && channel.bufferedBytes() <= limit) {
      const update = subscription.pending.shift();
      if (update === undefined) return;
      this.#sendEvent(id, subscription, update);
    }
    if (this.#subscriptions.get(id) !== subscription || subscription.pending.length === 0) return;
    channel.onDrain(() => this.#drain(id, subscription, limit));
  }

  #sendEvent(id: number, subscription: Subscription, update: TopicUpdate): void {
    const sent = this.#send({ t: 'event', id, revision: update.revision, payload: update.payload });
    if (!sent) this.#cutOff(id, `An event of "${subscription.topic}" is longer than a frame may be.`);
  }

  #cutOff(id: number, what: string): void {
    this.#unsubscribe(id);
    this.#fault(id, body('rpc.overflow', what, 'Subscribe again.'));
  }
}
