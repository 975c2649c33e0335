import { mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { connect, createServer, type Server } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { receiveToFile, sendFile } from '../../../electron/platform/stream-file.ts';
import { randomBytes } from '../../support/seeded.ts';

let folder: string;
let server: Server;
let rounds = 0;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'ebb-stream-'));
});
afterEach(async () => {
  await new Promise(resolve => server.close(resolve));
  rmSync(folder, { recursive: true });
});

/** Reads so many bytes, then closes, as QEMU does when it has all of a guest's memory. `got` waits for its end. */
async function reader(bytes: number): Promise<{ path: string; got: Promise<number> }> {
  const path = join(folder, 'socket');
  const { promise: got, resolve: ended } = Promise.withResolvers<number>();
  server = createServer(socket => {
    let count = 0;
    socket.on('data', (chunk: Buffer) => {
      count += chunk.length;
      if (count >= bytes) socket.end();
    });
    socket.on('error', () => undefined);
    socket.on('close', () => ended(count));
  });
  await new Promise<void>(resolve => server.listen(path, resolve));
  return { path, got };
}

describe('saved memory on its way to QEMU', () => {
  it('L3: is sent whole, also where the reader closes as soon as it has it', async () => {
    const file = join(folder, 'memory');
    for (const bytes of [1, 65_536, 300_000, 4_000_000]) {
      writeFileSync(file, Buffer.alloc(bytes, 7));
      for (let round = 0; round < 10; round++) {
        const { path, got } = await reader(bytes);
        await sendFile(file, path, 'plain');
        expect(await got).toBe(bytes);
        await new Promise(resolve => server.close(resolve));
      }
    }
    server = createServer().listen(join(folder, 'last'));
  });

  it('compressed it takes less room and comes back byte for byte; damaged, or cut off, it is not taken for memory', async () => {
    server = createServer().listen(join(folder, 'last'));
    const memory = Buffer.concat([Buffer.alloc(3_000_000, 'guest '), randomBytes(1_000_000, 3)]);
    const [file, saving] = [join(folder, 'memory'), join(folder, 'saving')];
    const receiving = await receiveToFile(saving, file, 'zstd');
    connect(saving).end(memory);
    await receiving.done;
    expect(statSync(file).size).toBeLessThan(1_200_000);
    const back = async (): Promise<Buffer> => {
      const pieces: Buffer[] = [];
      const path = join(folder, `back-${rounds++}`);
      const to = createServer(socket => socket.on('data', piece => pieces.push(piece)));
      await new Promise<void>(resolve => to.listen(path, resolve));
      const ended = new Promise(resolve => to.once('connection', socket => socket.once('close', resolve)));
      try {
        await sendFile(file, path, 'zstd');
      } finally {
        to.close();
      }
      await ended;
      return Buffer.concat(pieces);
    };
    expect((await back()).equals(memory)).toBe(true);
    const whole = readFileSync(file);
    const damaged = Buffer.from(whole);
    damaged.writeUInt8((damaged[500_000] ?? 0) ^ 1, 500_000);
    for (const bytes of [damaged, whole.subarray(0, whole.length - 100)]) {
      writeFileSync(file, bytes);
      await expect(back()).rejects.toMatchObject({ body: { code: 'disk.io' } });
    }
  });

  it('fails where the reader goes away in the middle', async () => {
    const file = join(folder, 'memory');
    writeFileSync(file, Buffer.alloc(8_000_000, 7));
    const path = join(folder, 'socket');
    server = createServer(socket => socket.once('data', () => socket.destroy()));
    await new Promise<void>(resolve => server.listen(path, resolve));
    await expect(sendFile(file, path, 'plain')).rejects.toMatchObject({ body: { code: 'disk.io' } });
  });
});
