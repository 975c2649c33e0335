// A small service with every behaviour the conformance suite asks for, under a contract of its own, and the real
// contract answered with examples. Served over any transport.
import * as z from 'zod';
import { Fault } from '../../shared/result.ts';
import type { Channel } from '../../shared/rpc/channel.ts';
import { FRAME_BYTES_MAX } from '../../shared/rpc/frame.ts';
import { contractHash } from '../../shared/rpc/hash.ts';
import { type Caller, type Handlers, serve } from '../../shared/rpc/server.ts';
import { defineContract } from '../../shared/rpc/table.ts';
import { Topics } from '../../shared/rpc/topics.ts';

const none = z.strictObject({});
export const echoContract = defineContract({
  methods: {
    echo: {
      kind: 'query',
      params: z.strictObject({ text: z.string() }),
      result: z.object({ text: z.string() }),
      errors: [],
      doc: 'Answers what it was sent.',
    },
    refuse: { kind: 'command', params: none, result: none, errors: ['disk.full'], doc: 'Throws a Fault.' },
    surprise: { kind: 'command', params: none, result: none, errors: [], doc: 'Throws a Fault not listed.' },
    crash: { kind: 'command', params: none, result: none, errors: [], doc: 'Throws a bug.' },
    lie: {
      kind: 'query',
      params: none,
      result: z.object({ count: z.int() }),
      errors: [],
      doc: 'Wrong form.',
    },
    huge: { kind: 'query', params: none, result: z.string(), errors: [], doc: 'An answer over the limit.' },
    wait: { kind: 'command', params: none, result: none, errors: [], doc: 'Waits until it is cancelled.' },
    stream: { kind: 'command', params: none, result: none, errors: [], doc: 'Emits to its caller alone.' },
  },
  topics: {
    state: {
      kind: 'state',
      keyed: false,
      payload: z.object({ n: z.int(), pad: z.string() }),
      doc: 'Newest.',
    },
    byKey: { kind: 'state', keyed: true, payload: z.object({ n: z.int() }), doc: 'Newest of each key.' },
    events: { kind: 'event', keyed: false, payload: z.object({ n: z.int(), pad: z.string() }), doc: 'All.' },
  },
});
export type EchoContract = typeof echoContract;

export class EchoService {
  readonly topics = new Topics(echoContract);
  readonly bugs: unknown[] = [];
  readonly gone: number[] = [];
  readonly callers: Caller[] = [];
  cancelled = 0;
  waiting = 0;
  echoed = 0;

  readonly accept = (channel: Channel): void => {
    serve({
      table: echoContract,
      handlers: this.#handlers,
      topics: this.topics,
      channel,
      kind: 'local',
      onBug: (_, error) => this.bugs.push(error),
    });
  };

  readonly #handlers: Handlers<EchoContract> = {
    echo: ({ text }, { caller }) => {
      this.echoed += 1;
      if (!this.callers.includes(caller)) {
        this.callers.push(caller);
        caller.onGone(() => this.gone.push(caller.id));
      }
      return { text };
    },
    refuse: () => {
      throw new Fault({
        code: 'disk.full',
        what: 'Full.',
        safe: 'Nothing lost.',
        todo: 'Free some.',
        data: { kib: 4 },
      });
    },
    surprise: () => {
      throw new Fault({ code: 'disk.io', what: 'Broken.', safe: 'The rest.', todo: 'Look.' });
    },
    crash: () => {
      throw new TypeError('a secret of the stack');
    },
    lie: () => ({ count: 'many' }) as never,
    huge: () => 'x'.repeat(FRAME_BYTES_MAX),
    wait: (_, { signal }) =>
      new Promise((_, reject) => {
        this.waiting += 1;
        signal.addEventListener('abort', () => {
          this.cancelled += 1;
          reject(signal.reason);
        });
      }),
    stream: (_, { emit }) => {
      for (const n of [1, 2, 3]) emit('events', null, { n, pad: '' });
      return {};
    },
  };
}

export const helloFrame = (): string =>
  JSON.stringify({ t: 'hello', protocol: 1, contract: contractHash(echoContract) });
