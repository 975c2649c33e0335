import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { createServer, type Server } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { sendFile } from '../../../electron/platform/stream-file.ts';

let folder: string;
let server: Server;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'ebb-stream-'));
});
afterEach(async () => {
  await new Promise(resolve => server.close(resolve));
  rmSync(folder, { recursive: true });
});

/** Reads so many bytes, then closes, as QEMU does when it has all of a guest's memory. */
async function reader(bytes: number): Promise<{ path: string; got: () => number }> {
  let got = 0;
  const path = join(folder, 'socket');
  server = createServer(socket => {
    socket.on('data', (chunk: Buffer) => {
      got += chunk.length;
      if (got >= bytes) socket.end();
    });
    socket.on('error', () => undefined);
  });
  await new Promise<void>(resolve => server.listen(path, resolve));
  return { path, got: () => got };
}

describe('saved memory on its way to QEMU', () => {
  it('L3: is sent whole, also where the reader closes as soon as it has it', async () => {
    const file = join(folder, 'memory');
    for (const bytes of [1, 65_536, 300_000, 4_000_000]) {
      writeFileSync(file, Buffer.alloc(bytes, 7));
      for (let round = 0; round < 10; round++) {
        const { path, got } = await reader(bytes);
        await sendFile(file, path);
        expect(got()).toBe(bytes);
        await new Promise(resolve => server.close(resolve));
      }
    }
    server = createServer().listen(join(folder, 'last'));
  });

  it('fails where the reader goes away in the middle', async () => {
    const file = join(folder, 'memory');
    writeFileSync(file, Buffer.alloc(8_000_000, 7));
    const path = join(folder, 'socket');
    server = createServer(socket => socket.once('data', () => socket.destroy()));
    await new Promise<void>(resolve => server.listen(path, resolve));
    await expect(sendFile(file, path)).rejects.toMatchObject({ body: { code: 'disk.io' } });
  });
});
