// Both ways a server's socket can be read into memory of ours, and that the faster one is the one that is used here.
import { once } from 'node:events';
import { mkdtempSync, rmSync } from 'node:fs';
import { createConnection, createServer, type Socket } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { copyInto, readInto } from '../../../electron/platform/own-buffer.ts';
import { randomBytes, Seeded } from '../../support/seeded.ts';
import { until } from '../../support/until.ts';

interface Served {
  readonly client: Socket;
  readonly server: Socket;
  readonly received: () => Buffer;
}

async function served<T>(read: typeof readInto, use: (served: Served) => Promise<T>): Promise<T> {
  const folder = mkdtempSync(join(tmpdir(), 'ebb-t-own-'));
  const path = join(folder, 's');
  const random = new Seeded(5);
  const received: Buffer[] = [];
  let room = Buffer.alloc(0);
  const listening = createServer({ pauseOnConnect: true });
  listening.listen(path);
  await once(listening, 'listening');
  const client = createConnection(path);
  const [accepted] = (await once(listening, 'connection')) as [Socket];
  const server = read(accepted, {
    // Never the same one: what was given before is not written to any more.
    room: () => {
      room = Buffer.alloc(1 + random.below(100_000));
      return room;
    },
    filled: bytes => received.push(room.subarray(0, bytes)),
  });
  try {
    return await use({ client, server, received: () => Buffer.concat(received) });
  } finally {
    client.destroy();
    server.destroy();
    listening.close();
    rmSync(folder, { recursive: true });
  }
}

describe.each([
  ['on its handle', readInto],
  ['in chunks that are copied', copyInto],
] as const)('a server socket read into memory of ours, %s', (_, read) => {
  it('hears all of it in order, answers, stops while paused, and ends with its peer', async () => {
    await served(read, async ({ client, server, received }) => {
      const sent = randomBytes(3_000_000, 7);
      client.write(sent.subarray(0, 1_000_000));
      await until('the first part', () => received().length === 1_000_000);
      server.pause();
      client.write(sent.subarray(1_000_000));
      await new Promise(resolve => setImmediate(resolve));
      const heard = received().length;
      await new Promise(resolve => setTimeout(resolve, 30));
      // What was on its way when it was paused may still arrive, and no more than that.
      expect(received().length - heard).toBeLessThanOrEqual(100_000);
      server.resume();
      await until('the rest', () => received().length === sent.length);
      expect(received().equals(sent)).toBe(true);
      server.write('and answers');
      const [answer] = (await once(client, 'data')) as [Buffer];
      expect(answer.toString()).toBe('and answers');
      const closed = once(server, 'close');
      client.end();
      await closed;
    });
  });

  it('is closed by its server, and the peer hears of it', async () => {
    await served(read, async ({ client, server }) => {
      const closed = once(client, 'close');
      client.resume();
      server.end('last');
      await closed;
    });
  });
});

it('this Node has the handle that is taken over; where one has not, the chunks are copied', async () => {
  await served(
    (accepted, sink) => {
      const server = readInto(accepted, sink);
      expect(server).not.toBe(accepted);
      return server;
    },
    async () => undefined,
  );
  await served(
    (accepted, sink) => {
      // As a Node would be that keeps it elsewhere.
      const other = Object.create(accepted, { _handle: { value: undefined } }) as Socket;
      expect(readInto(other, sink)).toBe(other);
      return accepted;
    },
    async () => undefined,
  );
});
