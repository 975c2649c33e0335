// Clients that break the protocol end their own connection and harm nobody else.
import { describe, expect, it } from 'vitest';
import { HANDSHAKE_MS_MAX } from '../../../../electron/storage/nbd/connection.ts';
import { CONNECTIONS_MAX } from '../../../../electron/storage/nbd/server.ts';
import { MemoryVolume } from '../../../support/memory-volume.ts';
import { NbdClient } from '../../../support/nbd-client.ts';
import { EITHER_WAY, type NbdFixture, nbdFixture } from '../../../support/nbd-fixture.ts';

const MIB = 1 << 20;

async function stillServes(nbd: NbdFixture): Promise<void> {
  const client = await NbdClient.open(nbd.socketPath);
  expect((await client.call({ command: 0, length: 512 })).error).toBe(0);
  client.close();
  expect(nbd.bugs).toEqual([]);
}

describe.each(EITHER_WAY)('bad NBD clients, late reads: %s', lateReads => {
  it('are cut off for a wrong magic, in either phase', async () => {
    await using nbd = await nbdFixture({ disk0: new MemoryVolume(MIB) }, { lateReads });
    const early = await NbdClient.dial(nbd.socketPath);
    await early.greet();
    early.send(Buffer.alloc(64, 0x41));
    await early.closed();
    const late = await NbdClient.open(nbd.socketPath);
    late.post({ command: 0, length: 512, magic: 0xdeadbeef });
    await late.closed();
    expect(nbd.logged).toHaveLength(2);
    await stillServes(nbd);
  });

  it('are cut off for a write nobody could mean', async () => {
    await using nbd = await nbdFixture({ disk0: new MemoryVolume(MIB) }, { lateReads });
    const client = await NbdClient.open(nbd.socketPath);
    client.post({ command: 1, length: 0xffffffff });
    await client.closed();
    await stillServes(nbd);
  });

  it('change nothing when they vanish in the middle of a write', async () => {
    const volume = new MemoryVolume(MIB);
    await using nbd = await nbdFixture({ disk0: volume }, { lateReads });
    const client = await NbdClient.open(nbd.socketPath);
    client.post({ command: 1, length: 65536 });
    client.send(Buffer.alloc(65535, 1));
    client.socket.end();
    await client.closed();
    expect(volume.bytes.every(byte => byte === 0)).toBe(true);
    await stillServes(nbd);
  });

  it('may vanish while a flush is under way', async () => {
    const volume = new MemoryVolume(MIB);
    let open = (): void => {};
    volume.gate = new Promise(resolve => {
      open = resolve;
    });
    await using nbd = await nbdFixture({ disk0: volume }, { lateReads });
    const client = await NbdClient.open(nbd.socketPath);
    client.post({ command: 3 });
    await client.call({ command: 0, length: 512 });
    client.close();
    open();
    await expect.poll(() => nbd.server.connectionCount()).toBe(0);
    await stillServes(nbd);
  });

  it('that never read their replies do not grow us and do not block others', async () => {
    await using nbd = await nbdFixture({ disk0: new MemoryVolume(64 * MIB) }, { lateReads });
    const deaf = await NbdClient.open(nbd.socketPath);
    deaf.socket.pause();
    for (let index = 0; index < 64; index++) deaf.post({ command: 0, length: 32 * MIB });
    const before = process.memoryUsage.rss();
    for (let index = 0; index < 50; index++) await stillServes(nbd);
    expect(process.memoryUsage.rss() - before).toBeLessThan(256 * MIB);
    deaf.close();
  });

  it('that keep the server busy leave turns to others', async () => {
    const volume = new MemoryVolume(64 * MIB);
    await using nbd = await nbdFixture({ disk0: volume }, { lateReads });
    const greedy = await NbdClient.open(nbd.socketPath);
    const other = await NbdClient.open(nbd.socketPath);
    let greedyDone = 0;
    for (let index = 0; index < 100; index++) greedy.post({ command: 6, length: 64 * MIB });
    await greedy.reply();
    const counting = (async () => {
      for (let index = 1; index < 100; index++, greedyDone++) await greedy.reply();
    })();
    await other.call({ command: 0, length: 512 });
    expect(greedyDone).toBeLessThan(90);
    await counting;
    greedy.close();
    other.close();
  });

  it(`are no more than ${CONNECTIONS_MAX}, and silent ones are gone after ${HANDSHAKE_MS_MAX} ms`, async () => {
    await using nbd = await nbdFixture({ disk0: new MemoryVolume(MIB) }, { handshakeMsMax: 300, lateReads });
    const silent = await Promise.all(
      Array.from({ length: CONNECTIONS_MAX }, () => NbdClient.dial(nbd.socketPath)),
    );
    const extra = await NbdClient.dial(nbd.socketPath);
    await extra.closed();
    await Promise.all(silent.map(client => client.closed()));
    await stillServes(nbd);
  });

  it('are not needed to find a bug of ours: it ends the connection and is handed up', async () => {
    const volume = new MemoryVolume(MIB);
    await using nbd = await nbdFixture({ disk0: volume }, { lateReads });
    for (const command of [0, 3]) {
      const client = await NbdClient.open(nbd.socketPath);
      volume.failWith = 'bug';
      client.post({ command, length: command === 0 ? 512 : 0 });
      await client.closed();
      volume.failWith = null;
    }
    expect(nbd.bugs).toHaveLength(2);
  });

  it('and honest ones get what waits for a flush when the server closes', async () => {
    const volume = new MemoryVolume(MIB);
    let open = (): void => {};
    volume.gate = new Promise(resolve => {
      open = resolve;
    });
    await using nbd = await nbdFixture({ disk0: volume }, { lateReads });
    const client = await NbdClient.open(nbd.socketPath);
    client.post({ command: 3 });
    await client.call({ command: 0, length: 512 });
    const closing = nbd.server.close();
    open();
    expect((await client.reply()).error).toBe(0);
    await client.closed();
    await closing;
    await expect(NbdClient.dial(nbd.socketPath)).rejects.toThrow(/ENOENT/);
  });
});
