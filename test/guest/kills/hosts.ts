// A host's death as far as processes go: QEMU, storage and control killed together under a guest that writes, flushes and
// notes what was acknowledged. What it had not flushed is gone with it; every acknowledged record must be in Now, and
// every point what the guest read when it was taken (T3, T10, T11), as 7-Zip reads the files.
import { execFileSync } from 'node:child_process';
import { join } from 'node:path';
import type { DiskId, PointId, VmId } from '../../../shared/ids.ts';
import { type Ebb, pause, waitFor } from '../../support/ebb.ts';
import { startFromFixtures } from '../../support/fixtures.ts';
import { recordsMissing } from '../../support/records.ts';
import type { Seeded } from '../../support/seeded.ts';

const DEV = '/dev/vda';
const MIB = 2 ** 20;
const SPAN = 64 * MIB;
const WRITER = { dev: DEV, offset: 192 * MIB, slots: 256, pauseMs: 1 };
const DELAY_MS = 400;

interface Killed {
  readonly acked: number;
  /** Of the span, as the guest read it at the point. */
  readonly units: string;
}

/** Writes, takes a point whose edge is turned while the machine dies. */
async function killUnder(ebb: Ebb, vmId: VmId, random: Seeded): Promise<Killed> {
  const agent = await ebb.startVm(vmId);
  await agent.call('writer-start', WRITER);
  const scatter = async (): Promise<void> => {
    const bytes = (4 + random.below(8)) * MIB;
    await agent.call('scatter', { dev: DEV, offset: 0, span: SPAN, bytes, seed: random.below(2 ** 30) });
  };
  await scatter();
  await ebb.call('moment.take', { vmId, name: 'first', note: '' });
  await scatter();
  const { units = '' } = await agent.call('hash', { dev: DEV, offset: 0, length: SPAN, algorithm: 'units' });
  await ebb.call('moment.take', { vmId, name: 'before kill', note: '' });
  await pause(random.below(DELAY_MS));
  const [storage, { pid }] = [await ebb.storagePid(), await ebb.state(vmId)];
  const { acked } = await agent.call('writer-report');
  if (pid === null) throw new Error('the VM has no process');
  process.kill(pid, 'SIGKILL');
  process.kill(storage, 'SIGKILL');
  await ebb.killControl();
  return { acked: Number(acked), units };
}

export async function killHost(
  random: Seeded,
  index: number,
): Promise<{ acked: number; wrong: string | null }> {
  const ebb = await startFromFixtures();
  try {
    const { vmId, diskId } = await ebb.vmNamed('alpha');
    const { acked, units } = await killUnder(ebb, vmId, random);
    await waitFor('the VM to be off', async () => (await ebb.state(vmId)).pid === null || null);
    // T17: nobody stopped it, and its disk comes to rest all the same.
    await ebb.settled(vmId);
    const { disks } = await ebb.call('timeline.get', { vmId });
    if (disks.some(({ depth }) => depth !== 1))
      return { acked, wrong: `host kill ${index}: not at rest as one VHD` };
    await ebb.call('moment.take', { vmId, name: 'after kill', note: '' });
    await ebb.settled(vmId);
    const { moments } = await ebb.call('timeline.get', { vmId });
    const point = (name: string): PointId =>
      moments.find(moment => moment.name === name)?.points[0]?.pointId as PointId;
    const bad = recordsMissing(readPoint(ebb, vmId, diskId, point('after kill')), WRITER, acked);
    if (bad > 0) return { acked, wrong: `host kill ${index}: ${bad} records are older than acknowledged` };
    const found = await ebb.hashPoint(vmId, diskId, point('before kill'), SPAN);
    return {
      acked,
      wrong: found === units ? null : `host kill ${index}: the point is ${found}, recorded ${units}`,
    };
  } finally {
    await ebb.dispose();
  }
}

function readPoint(ebb: Ebb, vmId: VmId, diskId: DiskId, pointId: PointId): Buffer {
  const path = join(ebb.paths.dataFolder, 'vms', vmId, 'disks', diskId, `${pointId}.vhd`);
  return execFileSync('7z', ['x', '-tVHD', '-so', path], {
    maxBuffer: 512 * MIB,
    stdio: ['ignore', 'pipe', 'ignore'],
  });
}
