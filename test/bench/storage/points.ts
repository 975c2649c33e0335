// What people do with a hundred points: delete the oldest, go back fifty, open the VM; and what storage keeps in memory.
import { rmSync } from 'node:fs';
import { join } from 'node:path';
import type { BenchRow, SuiteOptions } from '../../support/report.ts';
import { until } from '../../support/until.ts';
import { limitRow } from './rows.ts';
import { serveChain } from './servers.ts';
import { chainOf, type Timeline, timelineOf } from './timelines.ts';
import { timed, tool } from './writes.ts';

const MIB = 2 ** 20;

async function deleteOldest({ ours, moments }: Timeline, index: number): Promise<number> {
  const { vmId, storage } = ours;
  const momentId = moments[index]?.id;
  if (momentId === undefined) throw new Error('no point left');
  return timed(async () => {
    await storage.client.call('moment.delete', { vmId, momentId });
    await storage.client.call('trash.purge', { vmId, momentId, trashedBefore: Date.now() + 1 });
  });
}

/** Every figure in ms, less is better. */
export async function points({ quick, say }: SuiteOptions): Promise<BenchRow[]> {
  const [sizeBytes, count, rounds] = quick ? [128 * MIB, 20, 3] : [512 * MIB, 100, 5];
  const timeline = await timelineOf(sizeBytes, count, 2 * MIB);
  const { ours, root, moments } = timeline;
  await using storage = ours.storage;
  const { vmId, diskId } = ours;
  using chain = await chainOf(root, sizeBytes, count, 2 * MIB, storage.folder);
  const figures: Record<'delete' | 'goBack' | 'open', { ours: number[]; theirs: number[] }> = {
    delete: { ours: [], theirs: [] },
    goBack: { ours: [], theirs: [] },
    open: { ours: [], theirs: [] },
  };
  await storage.client.call('export.close', { vmId, diskId });
  for (let round = 0; round < rounds; round++) {
    figures.delete.ours.push(1000 * (await deleteOldest(timeline, round)));
    // The oldest but what all of them stand on: into that.
    const oldest = chain.paths[round + 1] ?? '';
    figures.delete.theirs.push(
      1000 *
        (await timed(() =>
          tool('qemu-img', 'commit', '-q', '-d', '-f', 'qcow2', '-b', chain.paths[0] ?? '', oldest),
        )),
    );
    const back = moments[moments.length - (round % 2 === 0 ? count / 2 : 1)];
    if (back === undefined) throw new Error('no point to go back to');
    figures.goBack.ours.push(
      1000 *
        (await timed(() =>
          storage.client.call('moment.go-back', { vmId, momentId: back.id, keepName: `kept ${round}` }),
        )),
    );
    const overlay = join(storage.folder, `overlay-${round}`);
    const below = chain.paths[count / 2] ?? '';
    figures.goBack.theirs.push(
      1000 *
        (await timed(() =>
          tool('qemu-img', 'create', '-q', '-f', 'qcow2', '-F', 'qcow2', '-b', below, overlay),
        )),
    );
    rmSync(overlay);
    await until(
      'the timeline to be at rest',
      async () => (await ours.timeline()).settle.state === 'rest',
      600_000,
    );
    await storage.client.call('vm.close', { vmId });
    figures.open.ours.push(1000 * (await timed(() => storage.client.openVm(vmId, storage.vmFolder(vmId)))));
    const begun = performance.now();
    await using _peer = await serveChain(chain.paths.at(-1) ?? '', storage.folder);
    figures.open.theirs.push(performance.now() - begun);
  }
  const rows = [
    limitRow(
      { work: `delete the oldest of ${count}: ms`, peer: 'qemu-img commit of the oldest', ...figures.delete },
      { floor: 50, goal: 50 },
    ),
    limitRow(
      { work: 'go back half the points: ms', peer: 'qemu-img create -b', ...figures.goBack },
      { floor: 100, goal: 30 },
    ),
    limitRow(
      { work: `open a VM with ${count} points: ms`, peer: 'qemu-nbd until it listens', ...figures.open },
      { floor: 100, goal: 30 },
    ),
  ];
  for (const { work, ours: mine, theirs } of rows) say(`${work}: ${mine.toFixed(1)}, ${theirs.toFixed(1)}`);
  return rows;
}
