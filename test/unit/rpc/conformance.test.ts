import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { storageContract } from '../../../electron/storage/contract.ts';
import type { ErrorBody } from '../../../shared/errors.ts';
import { BugError, Fault } from '../../../shared/result.ts';
import type { Channel } from '../../../shared/rpc/channel.ts';
import { type Client, connectClient } from '../../../shared/rpc/client.ts';
import { contract } from '../../../shared/rpc/contract.ts';
import { EVENT_QUEUE_MAX, FRAME_BYTES_MAX } from '../../../shared/rpc/frame.ts';
import { serve } from '../../../shared/rpc/server.ts';
import type { ContractTable } from '../../../shared/rpc/table.ts';
import { Topics } from '../../../shared/rpc/topics.ts';
import { type EchoContract, EchoService, echoContract, helloFrame } from '../../support/echo-service.ts';
import { exampleOf } from '../../support/example.ts';
import { TRANSPORTS, type Transport } from '../../support/transports.ts';
import { until } from '../../support/until.ts';

const faultOf = async (promise: Promise<unknown>): Promise<ErrorBody> => {
  const error = await promise.then(
    value => new Error(`no fault but ${JSON.stringify(value)}`),
    (reason: unknown) => reason,
  );
  if (error instanceof Fault) return error.body;
  throw error;
};
const parsed = (texts: readonly string[]): { t: string; id?: number; [name: string]: unknown }[] =>
  texts.map(text => JSON.parse(text));

describe.each(Object.entries(TRANSPORTS))('rpc over %s', (_name, open) => {
  let service: EchoService;
  let transport: Transport;
  let client: Client<EchoContract>;

  beforeEach(async () => {
    service = new EchoService();
    transport = await open(service.accept);
    client = connectClient(echoContract, await transport.open());
    await client.ready;
  });
  afterEach(async () => {
    client.close();
    await transport.close();
  });

  it.each([
    ['the public contract', contract as ContractTable],
    ['the storage contract', storageContract as ContractTable],
  ])('carries every method of %s with its parameters and result', async (_, table) => {
    const heard = new Map<string, unknown>();
    const handlers = Object.fromEntries(
      Object.entries(table.methods).map(([name, row]) => [
        name,
        (params: unknown) => {
          heard.set(name, params);
          return exampleOf(row.result, 'output');
        },
      ]),
    );
    const bugs: unknown[] = [];
    const other = await open(channel =>
      serve({
        table,
        handlers: handlers as never,
        topics: new Topics(table),
        channel,
        kind: 'local',
        onBug: (_id, error) => bugs.push(error),
      }),
    );
    const caller = connectClient(table, await other.open());
    for (const [name, row] of Object.entries(table.methods)) {
      const params = exampleOf(row.params, 'input');
      expect(await caller.call(name, params as never), name).toEqual(exampleOf(row.result, 'output'));
      expect(heard.get(name), name).toEqual(params);
    }
    expect(bugs).toEqual([]);
    caller.close();
    await other.close();
  });

  it('carries text of every script, and answers in whatever order calls end', async () => {
    const text = 'Speicher 内存 🌊\u0000\n"\\\u2028';
    const slow = client.call('wait', {});
    expect(await client.call('echo', { text })).toEqual({ text });
    client.close();
    expect((await faultOf(slow)).code).toBe('rpc.unavailable');
  });

  it('delivers a fault with its whole body', async () => {
    expect(await faultOf(client.call('refuse', {}))).toEqual({
      code: 'disk.full',
      what: 'Full.',
      safe: 'Nothing lost.',
      todo: 'Free some.',
      data: { kib: 4 },
    });
    expect(service.bugs).toEqual([]);
  });

  it('delivers a fault its row does not list, and tells whoever keeps the contract', async () => {
    expect((await faultOf(client.call('surprise', {}))).code).toBe('disk.io');
    expect(service.bugs).toEqual([new BugError('refused with disk.io, which its row does not list')]);
  });

  it('hides a bug behind an incident id, and answers the next call', async () => {
    const body = await faultOf(client.call('crash', {}));
    expect(body).toMatchObject({ code: 'internal', incident: expect.any(String) });
    expect(JSON.stringify(body)).not.toContain('secret');
    expect(service.bugs).toEqual([new TypeError('a secret of the stack')]);
    expect((await faultOf(client.call('lie', {}))).code).toBe('internal');
    expect((await faultOf(client.call('huge', {}))).code).toBe('internal');
    expect(await client.call('echo', { text: 'still' })).toEqual({ text: 'still' });
  });

  it('refuses parameters that are not of the form, unknown names too, before the handler', async () => {
    expect((await faultOf(client.call('echo', { text: 7 } as never))).code).toBe('rpc.bad-request');
    expect((await faultOf(client.call('echo', { text: 'a', more: 1 } as never))).code).toBe(
      'rpc.bad-request',
    );
    expect((await faultOf(client.call('toString' as never, {} as never))).code).toBe('rpc.unknown-method');
    expect(service.echoed).toBe(0);
  });

  it('cancels: the handler sees the signal, the caller a cancelled fault', async () => {
    const abort = new AbortController();
    const call = client.call('wait', {}, { signal: abort.signal });
    await until('the handler waits', () => service.waiting === 1);
    abort.abort();
    expect((await faultOf(call)).code).toBe('cancelled');
    expect(service.cancelled).toBe(1);
    expect((await faultOf(client.call('wait', {}, { signal: abort.signal }))).code).toBe('cancelled');
    expect(service.waiting).toBe(1);
  });

  it('gives a new subscriber the newest state, then every change, until it unsubscribes', async () => {
    const heard: number[] = [];
    service.topics.publish('state', null, { n: 1, pad: '' });
    service.topics.publish('state', null, { n: 2, pad: '' });
    const stop = client.subscribe('state', null, ({ n }) => heard.push(n));
    await until('the newest', () => heard.length === 1);
    service.topics.publish('state', null, { n: 3, pad: '' });
    await until('the next', () => heard.length === 2);
    stop();
    await client.call('echo', { text: 'a round trip' });
    service.topics.publish('state', null, { n: 4, pad: '' });
    await client.call('echo', { text: 'another' });
    expect(heard).toEqual([2, 3]);
  });

  it('keeps keys apart, and an event for one caller from the others', async () => {
    const other = connectClient(echoContract, await transport.open());
    const heard: string[] = [];
    client.subscribe('byKey', 'a', ({ n }) => heard.push(`a${n}`));
    client.subscribe('byKey', 'b', ({ n }) => heard.push(`b${n}`));
    client.subscribe('events', null, ({ n }) => heard.push(`own${n}`));
    other.subscribe('events', null, ({ n }) => heard.push(`other${n}`));
    await Promise.all([client.call('echo', { text: '' }), other.call('echo', { text: '' })]);
    service.topics.publish('byKey', 'b', { n: 1 });
    service.topics.publish('byKey', 'a', { n: 2 });
    await client.call('stream', {});
    await other.call('echo', { text: '' });
    expect(heard).toEqual(['b1', 'a2', 'own1', 'own2', 'own3']);
    other.close();
  });

  it('refuses a topic that does not exist, or that lacks its key', async () => {
    const ends: string[] = [];
    client.subscribe(
      'byKey',
      null,
      () => undefined,
      error => ends.push(error.code),
    );
    client.subscribe(
      'nothing' as never,
      null,
      () => undefined,
      error => ends.push(error.code),
    );
    await until('both ended', () => ends.length === 2);
    expect(ends).toEqual(['rpc.bad-request', 'rpc.bad-request']);
  });

  it('ends calls and subscriptions when the connection drops, and tells the service', async () => {
    const ends: string[] = [];
    await client.call('echo', { text: '' });
    client.subscribe(
      'events',
      null,
      () => undefined,
      error => ends.push(error.code),
    );
    const call = client.call('wait', {});
    await until('the handler waits', () => service.waiting === 1);
    client.close();
    expect((await faultOf(call)).code).toBe('rpc.unavailable');
    expect((await faultOf(client.call('echo', { text: '' }))).code).toBe('rpc.unavailable');
    expect(ends).toEqual(['rpc.unavailable']);
    await until(
      'the handler is cancelled, the connection cleaned up',
      () => service.cancelled === 1 && service.gone.length === 1,
    );
  });

  it('tells a client of another version so, and hangs up', async () => {
    const raw = await transport.openRaw();
    raw.send(JSON.stringify({ t: 'hello', protocol: 99, contract: 'other' }));
    await until('hung up', () => raw.isClosed());
    expect(parsed(raw.received).at(-1)).toMatchObject({
      t: 'fault',
      id: 0,
      error: { code: 'rpc.version-mismatch' },
    });
    const old = connectClient({ methods: {}, topics: {} }, await transport.open());
    expect((await faultOf(old.ready)).code).toBe('rpc.version-mismatch');
  });

  it('what it says last reaches a client that is still sending', async () => {
    const accepted: Channel[] = [];
    const other = await open(channel => void accepted.push(channel));
    const raw = await other.openRaw();
    raw.stop();
    await until('accepted', () => accepted.length === 1);
    accepted[0]?.send('"the last word"');
    accepted[0]?.close();
    for (let more = 0; more < 3; more++) {
      raw.send('"more"');
      await new Promise(resolve => setTimeout(resolve, 1));
    }
    raw.go();
    await until('hung up', () => raw.isClosed());
    expect(raw.received).toContain('"the last word"');
    await other.close();
  });

  it('answers nothing before a hello', async () => {
    const raw = await transport.openRaw();
    raw.send(JSON.stringify({ t: 'request', id: 1, method: 'echo', params: { text: '' } }));
    await until('an answer', () => raw.received.length === 2);
    expect(parsed(raw.received)[1]).toMatchObject({ t: 'fault', error: { code: 'rpc.version-mismatch' } });
    expect(service.echoed).toBe(0);
    raw.close();
  });

  it.each([
    ['garbage', 'GET / HTTP/1.1'],
    ['JSON that is no frame', '{"t":"request","id":-1}'],
    ['a frame only servers send', '{"t":"reply","id":1,"result":{}}'],
    [
      'a frame over the limit',
      `{"t":"request","id":1,"method":"echo","params":{"text":"${'x'.repeat(FRAME_BYTES_MAX)}"}}`,
    ],
    [
      'a frame over the limit in bytes, not in characters',
      `{"t":"request","id":1,"method":"echo","params":{"text":"${'内'.repeat(FRAME_BYTES_MAX / 2)}"}}`,
    ],
  ])('hangs up on %s, runs nothing that follows, and serves the others', async (_, text) => {
    const raw = await transport.openRaw();
    raw.send(helloFrame());
    raw.send(text);
    raw.send(JSON.stringify({ t: 'request', id: 2, method: 'echo', params: { text: 'after' } }));
    await until('hung up', () => raw.isClosed());
    expect(service.echoed).toBe(0);
    expect(await client.call('echo', { text: 'fine' })).toEqual({ text: 'fine' });
  });

  it('refuses to send a call that is longer than a frame', async () => {
    const text = 'x'.repeat(FRAME_BYTES_MAX);
    expect((await faultOf(client.call('echo', { text }))).code).toBe('rpc.bad-request');
    const most = 'x'.repeat(FRAME_BYTES_MAX - 100);
    expect((await client.call('echo', { text: most })).text.length).toBe(most.length);
  });

  it('drops states between for a reader that does not read, never the newest', async () => {
    const raw = await transport.openRaw();
    raw.send(helloFrame());
    raw.send(JSON.stringify({ t: 'subscribe', id: 1, topic: 'state', key: null }));
    raw.send(JSON.stringify({ t: 'request', id: 2, method: 'echo', params: { text: '' } }));
    await until('subscribed', () => raw.received.length === 2);
    raw.stop();
    const pad = 'x'.repeat(100_000);
    for (let n = 1; n <= 200; n++) {
      service.topics.publish('state', null, { n, pad });
      if (n % 10 === 0) await client.call('echo', { text: '' });
    }
    raw.go();
    const numbers = (): number[] =>
      parsed(raw.received)
        .filter(frame => frame.t === 'event')
        .map(frame => (frame.payload as { n: number }).n);
    await until('the newest', () => numbers().at(-1) === 200);
    expect(numbers().length).toBeLessThan(200);
    expect(numbers()).toEqual(numbers().toSorted((a, b) => a - b));
    raw.close();
  });

  it('cuts off an event reader that does not read: all in order up to there, then rpc.overflow', async () => {
    const raw = await transport.openRaw();
    raw.send(helloFrame());
    raw.send(JSON.stringify({ t: 'subscribe', id: 1, topic: 'events', key: null }));
    raw.send(JSON.stringify({ t: 'request', id: 2, method: 'echo', params: { text: '' } }));
    await until('subscribed', () => raw.received.length === 2);
    raw.stop();
    const pad = 'x'.repeat(8_000);
    const count = EVENT_QUEUE_MAX * 3;
    for (let n = 1; n <= count; n++) {
      service.topics.publish('events', null, { n, pad });
      if (n % 64 === 0) await client.call('echo', { text: '' });
    }
    raw.go();
    await until('the fault', () => raw.received.at(-1)?.startsWith('{"t":"fault"') === true);
    const frames = parsed(raw.received).slice(2);
    expect(frames.at(-1)).toMatchObject({ id: 1, error: { code: 'rpc.overflow' } });
    const numbers = frames.slice(0, -1).map(frame => (frame.payload as { n: number }).n);
    expect(numbers.length).toBeLessThan(count);
    expect(numbers).toEqual(numbers.map((_, index) => index + 1));
    raw.close();
  });

  it('limits calls under way and subscriptions', async () => {
    const calls = Array.from({ length: 257 }, () => faultOf(client.call('wait', {})));
    expect((await calls[256])?.code).toBe('limit.reached');
    const ends: string[] = [];
    for (let n = 0; n <= 256; n++)
      client.subscribe(
        'byKey',
        `k${n}`,
        () => undefined,
        error => ends.push(error.code),
      );
    await until('one refused', () => ends.length > 0);
    expect(ends).toEqual(['limit.reached']);
    client.close();
    await Promise.all(calls);
  });
});
