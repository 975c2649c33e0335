// A disk grows under a running guest that writes all the while: nothing it was told is on the disk is lost, it sees the
// new room without a restart, older points stay as large and as they were.
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest';
import type { DiskId, MomentId, PointId, VmId } from '../../shared/ids.ts';
import { type Agent, type Ebb, waitFor } from '../support/ebb.ts';
import { startFromFixtures } from '../support/fixtures.ts';

const MIB = 2 ** 20;
const SPAN = 64 * MIB;
const WRITER = { dev: '/dev/vda', offset: 96 * MIB, slots: 256, pauseMs: 1 };
const DEV = '/dev/vda';

// Guests under TCG on a loaded machine: conditions are waited for, this only ends a hang.
vi.setConfig({ testTimeout: 300_000, hookTimeout: 300_000 });

let ebb: Ebb;
let agent: Agent;
let vmId: VmId;
let diskId: DiskId;

const hash = async (offset: number, length: number): Promise<string> =>
  (await agent.call('hash', { dev: DEV, offset, length, algorithm: 'units' })).units ?? '';
const size = async (): Promise<number> => Number((await agent.call('size', { dev: DEV })).bytes);
const acked = async (): Promise<number> => Number((await agent.call('writer-report')).acked);
const momentOf = async (id: MomentId) => {
  const { moments } = await ebb.call('timeline.get', { vmId });
  return moments.find(moment => moment.id === id);
};

async function grow(virtualBytes: number): Promise<number> {
  const grown = await ebb.call('disk.grow', { vmId, virtualBytes });
  expect(grown.laterBecause).toBeNull();
  await waitFor('the guest to see the new room', async () => (await size()) === grown.virtualBytes || null);
  return grown.virtualBytes;
}

beforeAll(async () => {
  ebb = await startFromFixtures();
  ({ vmId, diskId } = await ebb.vmNamed('history'));
  agent = await ebb.startVm(vmId);
});
afterAll(async () => {
  await ebb?.dispose();
});

describe('a disk that grows while its guest runs', () => {
  it('T4, T10, T12: with a history, under a writer, twice; also a guest that is paused hears of it', async () => {
    const before = await size();
    await agent.call('write', { dev: DEV, offset: 0, length: SPAN, seed: 5 });
    const content = await hash(0, SPAN);
    const small = await ebb.call('moment.take', { vmId, name: 'small', note: '' });
    await agent.call('writer-start', WRITER);
    await agent.call('scatter', { dev: DEV, offset: 0, span: SPAN, bytes: 8 * MIB, seed: 6 });
    const newer = await hash(0, SPAN);

    const larger = await grow(before + 100 * MIB);
    const sofar = await acked();
    await waitFor('the writer to go on', async () => (await acked()) > sofar || null);
    // Behind the old end: zeros, then what is written there.
    const end = Math.floor((larger - 8 * MIB) / MIB) * MIB;
    await agent.call('write', { dev: DEV, offset: end, length: 8 * MIB, seed: 7 });
    const tail = await hash(end, 8 * MIB);
    await ebb.settled(vmId);

    await ebb.call('vm.pause', { vmId });
    const paused = await ebb.call('disk.grow', { vmId, virtualBytes: larger + 50 * MIB });
    expect(paused.laterBecause).toBeNull();
    await ebb.call('vm.resume', { vmId });
    await waitFor(
      'the guest to see the new room',
      async () => (await size()) === paused.virtualBytes || null,
    );
    expect(await hash(end, 8 * MIB)).toBe(tail);
    expect(await hash(0, SPAN)).toBe(newer);

    const large = await ebb.call('moment.take', { vmId, name: 'large', note: '' });
    await ebb.settled(vmId);
    await agent.call('writer-stop');
    expect((await agent.call('writer-verify')).bad).toBe('0');
    expect((await momentOf(small.id))?.points[0]?.virtualBytes).toBe(before);
    expect((await momentOf(large.id))?.points[0]?.virtualBytes).toBe(paused.virtualBytes);
    const pointId = small.points[0]?.pointId as PointId;
    expect(await ebb.hashPoint(vmId, diskId, pointId, SPAN)).toBe(content);
    console.log(`grown under a writer: ${before} → ${larger} → ${paused.virtualBytes} bytes`);

    // A disk that does not grow: the guest keeps what it has, and nobody minds.
    expect((await ebb.call('disk.grow', { vmId, virtualBytes: paused.virtualBytes })).virtualBytes).toBe(
      paused.virtualBytes,
    );
    await expect(ebb.call('disk.grow', { vmId, virtualBytes: before })).rejects.toMatchObject({
      body: { code: 'disk.would-shrink' },
    });
  });

  it('T17: stopped, it is one VHD of the new size, and starts with it', async () => {
    const grown = await size();
    await ebb.stopVm(vmId, 'force');
    await ebb.settled(vmId);
    const { disks } = await ebb.call('timeline.get', { vmId });
    expect(disks[0]).toMatchObject({ depth: 1, virtualBytes: grown });
    agent = await ebb.startVm(vmId);
    expect(await size()).toBe(grown);
  });
});
