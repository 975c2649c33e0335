// The transmission phase over a real socket, with a client that also lies.
import { describe, expect, it } from 'vitest';
import { MemoryVolume } from '../../../support/memory-volume.ts';
import { NbdClient } from '../../../support/nbd-client.ts';
import { EITHER_WAY, nbdFixture } from '../../../support/nbd-fixture.ts';

const MIB = 1 << 20;
const EPERM = 1;
const EIO = 5;
const EINVAL = 22;
const ENOSPC = 28;
const ENOTSUP = 95;

const pattern = (length: number, seed: number): Buffer => {
  const bytes = Buffer.alloc(length);
  for (let at = 0; at < length; at++) bytes[at] = (at * 31 + seed * 7 + (at >> 8)) & 255;
  return bytes;
};

describe.each(EITHER_WAY)('the NBD session, late reads: %s', lateReads => {
  it.each([false, true])('writes, reads, zeroes and trims (structured: %s)', async isStructured => {
    const volume = new MemoryVolume(4 * MIB);
    await using nbd = await nbdFixture({ disk0: volume }, { lateReads });
    const client = await NbdClient.open(nbd.socketPath, 'disk0', isStructured);
    const data = pattern(MIB + 512, 3);
    expect((await client.call({ command: 1, offset: 512, payload: data })).error).toBe(0);
    expect((await client.call({ command: 0, offset: 512, length: data.length })).data.equals(data)).toBe(
      true,
    );
    expect((await client.call({ command: 6, offset: 1024, length: 4096 })).error).toBe(0);
    expect((await client.call({ command: 4, offset: MIB, length: 512 })).error).toBe(0);
    data.fill(0, 512, 512 + 4096);
    data.fill(0, MIB - 512, MIB);
    expect((await client.call({ command: 0, offset: 512, length: data.length })).data.equals(data)).toBe(
      true,
    );
    client.close();
  });

  it('serves requests cut at every byte', async () => {
    const volume = new MemoryVolume(MIB);
    await using nbd = await nbdFixture({ disk0: volume }, { lateReads });
    const client = await NbdClient.open(nbd.socketPath);
    const chunks: Buffer[] = [];
    const send = client.send.bind(client);
    client.send = (...parts) => {
      chunks.push(Buffer.concat(parts));
    };
    const payload = pattern(512, 9);
    client.post({ command: 1, offset: 512, payload });
    client.post({ command: 0, offset: 512, length: 512 });
    for (const byte of Buffer.concat(chunks)) {
      send(Buffer.from([byte]));
      await new Promise(resolve => setImmediate(resolve));
    }
    expect((await client.reply()).error).toBe(0);
    expect((await client.reply()).data.equals(payload)).toBe(true);
    client.close();
  });

  it('keeps many requests in one chunk in order, with data of every size between', async () => {
    const volume = new MemoryVolume(8 * MIB);
    // Read later, what is written meanwhile may be seen.
    await using nbd = await nbdFixture({ disk0: volume }, { lateReads: 'never' });
    const client = await NbdClient.open(nbd.socketPath);
    const sizes = Array.from({ length: 200 }, (_, index) => 512 * (1 + ((index * 37) % 300)));
    for (const [index, size] of sizes.entries()) {
      client.post({ command: 1, offset: 512 * index, payload: pattern(size, index) });
      client.post({ command: 0, offset: 512 * index, length: size });
    }
    for (const [index, size] of sizes.entries()) {
      expect((await client.reply()).error).toBe(0);
      expect((await client.reply()).data.equals(pattern(size, index))).toBe(true);
    }
    client.close();
  });

  it('T10: answers FLUSH and FUA only after the volume did, and lets reads pass meanwhile', async () => {
    const volume = new MemoryVolume(MIB);
    let open = (): void => {};
    volume.gate = new Promise(resolve => {
      open = resolve;
    });
    await using nbd = await nbdFixture({ disk0: volume }, { lateReads });
    const client = await NbdClient.open(nbd.socketPath);
    const fua = client.post({ command: 1, flags: 1, payload: pattern(512, 1) });
    const zeroFua = client.post({ command: 6, flags: 1, offset: 512, length: 512 });
    const flush = client.post({ command: 3 });
    const read = await client.call({ command: 0, length: 512 });
    expect(read.data.equals(pattern(512, 1))).toBe(true);
    open();
    const cookies = [await client.reply(), await client.reply(), await client.reply()].map(r => r.cookie);
    expect(cookies.sort()).toEqual([fua, zeroFua, flush].sort());
    client.close();
  });

  it('T10: a flush that comes while another runs waits for a flush of its own', async () => {
    const volume = new MemoryVolume(MIB);
    let open = (): void => {};
    volume.gate = new Promise(resolve => {
      open = resolve;
    });
    await using nbd = await nbdFixture({ disk0: volume }, { lateReads });
    const client = await NbdClient.open(nbd.socketPath);
    client.post({ command: 3 });
    await client.call({ command: 0, length: 512 });
    client.post({ command: 3 });
    await client.call({ command: 0, length: 512 });
    open();
    await client.reply();
    await client.reply();
    expect(volume.flushes).toBe(2);
    client.close();
  });

  it('T14: tells a full and a failing disk apart and goes on when it is well again', async () => {
    const volume = new MemoryVolume(MIB);
    await using nbd = await nbdFixture({ disk0: volume }, { lateReads });
    for (const isStructured of [false, true]) {
      const client = await NbdClient.open(nbd.socketPath, '', isStructured);
      volume.failWith = 'disk.full';
      expect((await client.call({ command: 1, payload: pattern(512, 1) })).error).toBe(ENOSPC);
      expect((await client.call({ command: 6, length: 512 })).error).toBe(ENOSPC);
      volume.failWith = 'disk.io';
      expect((await client.call({ command: 0, length: 512 })).error).toBe(EIO);
      expect((await client.call({ command: 3 })).error).toBe(EIO);
      expect((await client.call({ command: 1, flags: 1, payload: pattern(512, 1) })).error).toBe(EIO);
      volume.failWith = null;
      expect((await client.call({ command: 1, payload: pattern(512, 5) })).error).toBe(0);
      expect((await client.call({ command: 0, length: 512 })).data.equals(pattern(512, 5))).toBe(true);
      client.close();
    }
  });

  it('says in words why it refused, when replies are structured', async () => {
    await using nbd = await nbdFixture({ disk0: new MemoryVolume(MIB) }, { lateReads });
    const client = await NbdClient.open(nbd.socketPath, '', true);
    const reply = await client.call({ command: 0, offset: MIB, length: 512 });
    expect(reply).toMatchObject({ error: EINVAL, message: `offset ${MIB} + 512 is past the end ${MIB}` });
    client.close();
  });

  it('refuses oversize, unaligned, unknown and read-only requests and stays in step', async () => {
    const readOnly = new MemoryVolume(MIB, true);
    await using nbd = await nbdFixture({ disk0: new MemoryVolume(64 * MIB), fixed: readOnly }, { lateReads });
    const client = await NbdClient.open(nbd.socketPath, 'disk0');
    expect((await client.call({ command: 0, length: 33 * MIB })).error).toBe(EINVAL);
    expect((await client.call({ command: 1, payload: Buffer.alloc(33 * MIB, 1) })).error).toBe(EINVAL);
    expect((await client.call({ command: 1, payload: Buffer.alloc(100, 1) })).error).toBe(EINVAL);
    expect((await client.call({ command: 99, length: 512 })).error).toBe(EINVAL);
    expect((await client.call({ command: 0, length: 512 })).data.equals(Buffer.alloc(512))).toBe(true);
    client.close();
    const reader = await NbdClient.open(nbd.socketPath, 'fixed');
    expect((await reader.call({ command: 1, payload: Buffer.alloc(512, 1) })).error).toBe(EPERM);
    expect((await reader.call({ command: 0, length: 512 })).error).toBe(0);
    reader.close();
    expect(readOnly.bytes.every(byte => byte === 0)).toBe(true);
  });

  it('grants a fast zero only where zeros are already', async () => {
    const volume = new MemoryVolume(MIB);
    await using nbd = await nbdFixture({ disk0: volume }, { lateReads });
    const client = await NbdClient.open(nbd.socketPath, '', true);
    expect((await client.call({ command: 6, flags: 16, length: MIB })).error).toBe(0);
    await client.call({ command: 1, offset: 8192, payload: Buffer.alloc(512, 1) });
    expect((await client.call({ command: 6, flags: 16, length: MIB })).error).toBe(ENOTSUP);
    expect(volume.bytes[8192]).toBe(1);
    client.close();
  });

  it('describes extents, one on demand, and sends holes as holes', async () => {
    const volume = new MemoryVolume(4 * MIB);
    volume.bytes.fill(5, 8192, 12288);
    await using nbd = await nbdFixture({ disk0: volume }, { lateReads });
    const client = await NbdClient.open(nbd.socketPath, '', true);
    const rows = async (flags: number): Promise<number[]> => {
      const { data } = await client.call({ command: 7, flags, length: MIB });
      return Array.from({ length: (data.length - 4) / 4 }, (_, index) => data.readUInt32BE(4 + 4 * index));
    };
    expect(await rows(0)).toEqual([8192, 3, 4096, 0, MIB - 12288, 3]);
    expect(await rows(8)).toEqual([8192, 3]);
    expect((await client.call({ command: 0, offset: MIB, length: MIB })).type).toBe(2);
    expect((await client.call({ command: 0, flags: 4, offset: MIB, length: MIB })).type).toBe(1);
    expect((await client.call({ command: 0, length: MIB })).data.equals(volume.bytes.subarray(0, MIB))).toBe(
      true,
    );
    client.close();
  });

  it('zeroes more than a slice in one request', async () => {
    const volume = new MemoryVolume(40 * MIB);
    volume.bytes.fill(1);
    await using nbd = await nbdFixture({ disk0: volume }, { lateReads });
    const client = await NbdClient.open(nbd.socketPath);
    expect((await client.call({ command: 6, flags: 1, offset: MIB, length: 38 * MIB })).error).toBe(0);
    expect(volume.bytes.subarray(MIB, 39 * MIB).equals(Buffer.alloc(38 * MIB))).toBe(true);
    expect([volume.bytes[MIB - 1], volume.bytes[39 * MIB]]).toEqual([1, 1]);
    client.close();
  });
});
