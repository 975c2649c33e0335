// The storage process for real: its own process, a worker thread per VM, the real engine, and clients that know
// nothing of it but a socket.
import { readdirSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import type { DiskId, VmId } from '../../../shared/ids.ts';
import type { Timeline } from '../../../shared/timeline.ts';
import { NbdClient } from '../../support/nbd-client.ts';
import { randomBytes } from '../../support/seeded.ts';
import { newDiskId, newVmId, type StorageFixture, storageFixture } from '../../support/storage-process.ts';
import { until } from '../../support/until.ts';

const MIB = 1 << 20;

interface Machine {
  readonly vmId: VmId;
  readonly diskId: DiskId;
  readonly path: string;
}

async function machine(storage: StorageFixture, name: string): Promise<Machine> {
  const [vmId, diskId, path] = [newVmId(), newDiskId(), storage.exportPath(name)];
  await storage.client.openVm(vmId, storage.vmFolder(vmId));
  await storage.client.call('disk.create', { vmId, diskId, virtualBytes: 64 * MIB });
  expect(await storage.client.openExport(vmId, diskId, path)).toEqual({ exportName: diskId });
  return { vmId, diskId, path };
}

/** As QEMU's reconnect-delay: again and again until somebody serves. */
async function reconnect(path: string): Promise<NbdClient> {
  let client: NbdClient | null = null;
  await until('the export is served again', async () => {
    client = await NbdClient.open(path, '', true).catch(() => null);
    return client !== null;
  });
  if (client === null) throw new Error('not reached');
  return client;
}

const read = async (client: NbdClient, offset: number, length: number): Promise<Buffer> => {
  const reply = await client.call({ command: 0, offset, length });
  expect(reply.error).toBe(0);
  return reply.data;
};
const write = async (client: NbdClient, offset: number, payload: Uint8Array): Promise<void> => {
  expect((await client.call({ command: 1, offset, payload })).error).toBe(0);
};

describe('the storage process', () => {
  it('T6: serves two disks of a VM and takes both at one barrier while they are written', async () => {
    await using storage = storageFixture();
    const { vmId, diskId, path } = await machine(storage, 'a');
    const second = newDiskId();
    await storage.client.call('disk.create', { vmId, diskId: second, virtualBytes: 32 * MIB });
    await storage.client.openExport(vmId, second, storage.exportPath('b'));
    const clients = [await NbdClient.open(path), await NbdClient.open(storage.exportPath('b'))];
    const old = randomBytes(MIB, 1);
    const heard: Timeline[] = [];
    storage.client.onTimeline((_, timeline) => heard.push(timeline));
    for (const client of clients) await write(client, 0, old);
    const moment = await storage.client.call('moment.take', { vmId, name: 'one', note: '', kind: 'manual' });
    expect(moment.points.map(point => point.diskId).sort()).toEqual([diskId, second].sort());
    for (const client of clients) await write(client, 0, randomBytes(MIB, 2));
    const [point] = moment.points;
    const hashed = await storage.client.call('point.hash', { vmId, pointId: point?.pointId ?? '' });
    expect(hashed.sha256).toMatch(/^[0-9a-f]{64}$/);
    await until('the timeline was heard', () => heard.some(timeline => timeline.moments.length === 1));
    for (const client of clients) {
      expect((await read(client, 0, MIB)).equals(randomBytes(MIB, 2))).toBe(true);
      client.close();
    }
  });

  it('T7: goes back only when nothing is served, and then serves the old content', async () => {
    await using storage = storageFixture();
    const { vmId, diskId, path } = await machine(storage, 'a');
    const client = await NbdClient.open(path);
    const [old, late] = [randomBytes(MIB, 1), randomBytes(MIB, 2)];
    await write(client, 4096, old);
    const moment = await storage.client.call('moment.take', { vmId, name: 'one', note: '', kind: 'manual' });
    await write(client, 4096, late);
    const back = { vmId, momentId: moment.id, keepName: 'kept' };
    await expect(storage.client.call('moment.go-back', back)).rejects.toMatchObject({
      body: { code: 'disk.in-use' },
    });
    expect((await read(client, 4096, MIB)).equals(late)).toBe(true);
    client.close();
    await storage.client.closeExport(vmId, diskId);
    // Both at once: nobody writes to what is being left.
    const going = storage.client.call('moment.go-back', back);
    await expect(storage.client.openExport(vmId, diskId, path)).rejects.toMatchObject({
      body: { code: 'disk.in-use' },
    });
    const timeline = await going;
    expect(timeline.moments.map(row => row.name)).toContain('kept');
    await storage.client.openExport(vmId, diskId, path);
    const again = await NbdClient.open(path);
    expect((await read(again, 4096, MIB)).equals(old)).toBe(true);
    again.close();
  });

  it('T17: rests once nothing is served or settled, and is as it was when it is looked at again', async () => {
    await using storage = storageFixture();
    const { vmId, diskId, path } = await machine(storage, 'a');
    const threads = (): number => readdirSync(`/proc/${storage.pids[0]}/task`).length;
    const client = await NbdClient.open(path);
    const content = randomBytes(MIB, 1);
    await write(client, 4096, content);
    await storage.client.call('moment.take', { vmId, name: 'one', note: '', kind: 'manual' });
    const rest = () => storage.client.call('vm.rest', { vmId });
    expect(await rest()).toEqual({ isAtRest: false });
    client.close();
    await storage.client.closeExport(vmId, diskId);
    const awake = threads();
    const heard: string[] = [];
    storage.client.onTimeline((_, { settle }) => heard.push(settle.state));
    await until('it settles and rests', async () => (await rest()).isAtRest);
    await until('its thread is gone', () => threads() < awake);
    await until('it is told that it rests', () => heard.at(-1) === 'rest');
    const { moments, settle } = await storage.client.call('timeline.get', { vmId });
    expect([moments.map(({ name }) => name), settle.state]).toEqual([['one'], 'rest']);
    await storage.client.openExport(vmId, diskId, path);
    const again = await NbdClient.open(path);
    expect((await read(again, 4096, MIB)).equals(content)).toBe(true);
    again.close();
  });

  it('T8: a point whose hash is being made is not purged, and can be once that has ended', async () => {
    await using storage = storageFixture();
    const { client } = storage;
    const { vmId } = await machine(storage, 'a');
    // So large that only being told to stop ends it.
    const diskId = newDiskId();
    await client.call('disk.create', { vmId, diskId, virtualBytes: 2000 * 2 ** 30 });
    const moment = await client.call('moment.take', { vmId, name: 'one', note: '', kind: 'manual' });
    const large = moment.points.find(point => point.diskId === diskId);
    const stop = new AbortController();
    const hashed = client.call(
      'point.hash',
      { vmId, pointId: large?.pointId ?? '' },
      { signal: stop.signal },
    );
    hashed.catch(() => undefined);
    await client.call('moment.delete', { vmId, momentId: moment.id });
    const purge = { vmId, trashedBefore: Number.MAX_SAFE_INTEGER, momentId: moment.id };
    await expect(client.call('trash.purge', purge)).rejects.toMatchObject({ body: { code: 'disk.in-use' } });
    stop.abort();
    await expect(hashed).rejects.toThrow();
    await until('it can be purged', async () => {
      await client.call('trash.purge', purge).catch(() => undefined);
      return (await client.call('timeline.get', { vmId })).trash.length === 0;
    });
  });

  it('T8: points that are being compared are not purged, and can be once that has ended', async () => {
    await using storage = storageFixture();
    const { client } = storage;
    const { vmId } = await machine(storage, 'a');
    // A million blocks to look at.
    await client.call('disk.create', { vmId, diskId: newDiskId(), virtualBytes: 2000 * 2 ** 30 });
    const take = (name: string) => client.call('moment.take', { vmId, name, note: '', kind: 'manual' });
    const [one, two] = [await take('one'), await take('two')];
    const compared = client.call('moment.compare', { vmId, fromId: one.id, toId: two.id });
    await client.call('moment.delete', { vmId, momentId: two.id });
    const purge = { vmId, trashedBefore: Number.MAX_SAFE_INTEGER, momentId: two.id };
    await expect(client.call('trash.purge', purge)).rejects.toMatchObject({ body: { code: 'disk.in-use' } });
    expect((await compared).disks.map(({ difference }) => difference.bytes)).toEqual([0, 0]);
    await client.call('trash.purge', purge);
  });

  it('T11: SIGKILL between WRITE and FLUSH loses nothing acknowledged; the export comes back by itself', async () => {
    await using storage = storageFixture();
    const { vmId, path } = await machine(storage, 'a');
    const model = Buffer.alloc(8 * MIB);
    const write_ = async (client: NbdClient, round: number): Promise<void> => {
      for (let index = 0; index < 40; index++) {
        // Scattered, unaligned to blocks, some below the bitmap's unit: new blocks, new bits, copy-up.
        const offset = ((index * 37 + round * 11) % 200) * 36864 + 512 * (index % 3);
        const payload = randomBytes(512 * (1 + ((index * 7) % 20)), round * 100 + index);
        await write(client, offset, payload);
        payload.copy(model, offset);
      }
    };
    for (let round = 0; round < 3; round++) {
      const client = await reconnect(path);
      await write_(client, round);
      if (round === 1)
        await storage.client.call('moment.take', { vmId, name: 'm', note: '', kind: 'manual' });
      if (round === 1) await write_(client, 9);
      process.kill(storage.pids.at(-1) ?? 0, 'SIGKILL');
      await client.closed();
      const next = await reconnect(path);
      expect((await read(next, 0, model.length)).equals(model), `round ${round}, before flush`).toBe(true);
      expect((await next.call({ command: 3 })).error).toBe(0);
      expect((await read(next, 0, model.length)).equals(model), `round ${round}, after flush`).toBe(true);
      next.close();
    }
    expect(storage.pids).toHaveLength(4);
    expect((await storage.client.call('timeline.get', { vmId })).moments).toHaveLength(1);
  });

  it('T11: requests in flight at the kill are not acknowledged, and a call waits for the next process', async () => {
    await using storage = storageFixture();
    const { vmId, path } = await machine(storage, 'a');
    const client = await NbdClient.open(path);
    process.kill(storage.pids[0] ?? 0, 'SIGSTOP');
    client.post({ command: 1, payload: randomBytes(4096, 1) });
    const asked = storage.client.healthy().catch((error: unknown) => error);
    process.kill(storage.pids[0] ?? 0, 'SIGKILL');
    await expect(client.reply()).rejects.toThrow('connection closed');
    // The call under way fails; the next finds the new process, with the VM open in it.
    await expect(asked).resolves.toMatchObject({ body: { code: 'rpc.unavailable' } });
    expect(await storage.client.call('storage.info', {})).toMatchObject({ openVms: [vmId] });
    const again = await reconnect(path);
    expect((await read(again, 0, 4096)).equals(Buffer.alloc(4096))).toBe(true);
    again.close();
  });

  it('closes cleanly on SIGTERM: what was written but not flushed is there in the next process', async () => {
    await using storage = storageFixture();
    const { path } = await machine(storage, 'a');
    const client = await NbdClient.open(path);
    const data = randomBytes(3 * MIB, 4);
    await write(client, 512, data);
    process.kill(storage.pids[0] ?? 0, 'SIGTERM');
    await client.closed();
    const again = await reconnect(path);
    expect((await read(again, 512, data.length)).equals(data)).toBe(true);
    expect(storage.log()).toContain('SIGTERM: closing');
    again.close();
  });

  it('refuses what it cannot serve, in words, and goes on', async () => {
    await using storage = storageFixture();
    await using other = storageFixture();
    const { vmId, diskId, path } = await machine(storage, 'a');
    const folder = storage.vmFolder(vmId);
    const refused = (code: string) => ({ body: { code, what: expect.stringMatching(/\w/) } });
    const { client } = storage;
    await expect(client.call('timeline.get', { vmId: newVmId() })).rejects.toMatchObject(
      refused('vm.not-found'),
    );
    await expect(client.openExport(vmId, newDiskId(), path)).rejects.toMatchObject(refused('disk.not-found'));
    await expect(other.client.openVm(vmId, folder)).rejects.toMatchObject(refused('disk.owned-elsewhere'));
    await expect(client.openVm(vmId, '/elsewhere')).rejects.toMatchObject(refused('disk.owned-elsewhere'));
    const nbd = await NbdClient.open(path);
    const elsewhere = client.openExport(vmId, diskId, storage.exportPath('b'));
    await expect(elsewhere).rejects.toMatchObject(refused('disk.in-use'));
    expect((await read(nbd, 0, 512)).equals(Buffer.alloc(512))).toBe(true);
    nbd.close();
  });
});
