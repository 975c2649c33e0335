// What an upload is read through: it ends with the session, and leaves nothing behind.
import { connect } from 'node:net';
import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import { afterEach, expect, it } from 'vitest';
import { until } from '../../../../electron/shells/headless/lease.ts';
import { listenWeb, type WebServer } from '../../../../electron/transport/web-server.ts';

const NEVER = new AbortController().signal;
const turn = (): Promise<void> => new Promise(setImmediate);
let server: WebServer | null = null;
afterEach(() => server?.close());

setFlagsFromString('--expose-gc');
const collect: () => void = runInNewContext('gc');

it('keeps nothing of what has passed', async () => {
  const passed: WeakRef<object>[] = [];
  async function* source(): AsyncGenerator<object> {
    for (let n = 0; n < 100; n++) {
      await turn();
      const chunk = {};
      passed.push(new WeakRef(chunk));
      yield chunk;
    }
  }
  let alive = 100;
  for await (const _ of until(NEVER, source())) {
    if (passed.length < 100) continue;
    await turn();
    collect();
    alive = passed.filter(chunk => chunk.deref() !== undefined).length;
  }
  // The last, and what a variable here and there still names.
  expect(alive).toBeLessThan(5);
});

it.each(['its reader stops', 'the session ends', 'it is through'])('ends its source when %s', async how => {
  const over = new AbortController();
  let isEnded = false;
  async function* source(): AsyncGenerator<number> {
    try {
      yield 1;
      yield 2;
    } finally {
      isEnded = true;
    }
  }
  const seen: number[] = [];
  const read = async (): Promise<void> => {
    for await (const n of until(over.signal, source())) {
      seen.push(n);
      if (how === 'its reader stops') break;
      if (how === 'the session ends') over.abort();
    }
  };
  if (how === 'the session ends') await expect(read()).rejects.toThrow('the session has ended');
  else await read();
  await turn();
  expect([seen, isEnded]).toEqual([how === 'it is through' ? [1, 2] : [1], true]);
});

it('breaks off while nothing comes', async () => {
  const over = new AbortController();
  const silent = { [Symbol.asyncIterator]: () => ({ next: () => new Promise<never>(() => undefined) }) };
  const heard = until(over.signal, silent).next();
  over.abort();
  await expect(heard).rejects.toThrow('the session has ended');
  await expect(until(over.signal, silent).next()).rejects.toThrow('the session has ended');
});

it('an upload that fails midway is read on, so that its browser comes to hear why', async () => {
  server = await listenWeb(
    { port: 0 },
    {
      connect: async () => ({ status: 404, headers: {}, body: '' }),
      malformed: () => undefined,
      answer: async ({ body }) => {
        for await (const _ of until(NEVER, body)) break;
        return { status: 507, headers: {}, body: '' };
      },
    },
  );
  // More than what lies between holds.
  const bytes = Buffer.alloc(64 * 2 ** 20);
  const socket = connect(server.port, '127.0.0.1');
  socket.write(`POST /upload HTTP/1.1\r\nHost: x\r\nContent-Length: ${bytes.length}\r\n\r\n`);
  const answer = new Promise<string>(resolve => socket.once('data', data => resolve(String(data))));
  await new Promise<void>((resolve, reject) =>
    socket.write(bytes, error => (error ? reject(error) : resolve())),
  );
  expect(await answer).toMatch(/^HTTP\/1\.1 507 /);
  socket.destroy();
});
