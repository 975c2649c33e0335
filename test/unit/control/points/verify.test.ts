// A check of a history, as control drives it: piece by piece, one at a time, and its report says how it ended.
import { describe, expect, it } from 'vitest';
import { HistoryChecks } from '../../../../electron/control/points/verify.ts';
import { systemClock } from '../../../../electron/platform/clock.ts';
import type { StorageClient } from '../../../../electron/storage/client.ts';
import { type VmId, vmIdSchema } from '../../../../shared/ids.ts';
import type { Verified } from '../../../../shared/verify.ts';
import { looseRun, turns } from '../../../support/loose-run.ts';

const vmId: VmId = vmIdSchema.parse('00000000-0000-4000-8000-000000000001');
const diskId = '00000000-0000-4000-8000-000000000002';
const piece = (cursor: Verified['cursor']): Verified => ({
  cursor,
  checkedBytes: 100,
  unrecordedBytes: 0,
  totalBytes: 200,
  damages: [],
});
const more = { diskId, file: 'a.vhd', block: 1 } as Verified['cursor'];

describe('a check of a history', () => {
  it('goes from piece to piece and tells the whole', async () => {
    const answers = [piece(more), piece(null)];
    const asked: unknown[] = [];
    const storage = {
      call: (_: string, { cursor }: { cursor: unknown }) => {
        asked.push(cursor);
        return Promise.resolve(answers.shift());
      },
    } as unknown as StorageClient;
    const checks = new HistoryChecks(storage, systemClock);
    await checks.run(vmId, looseRun().run);
    expect(asked).toEqual([null, more]);
    expect(checks.report(vmId)).toMatchObject({ state: 'done', checkedBytes: 200, totalBytes: 200 });
  });

  it('is one at a time, and ends as stopped where it was cancelled: nobody takes half of one for all', async () => {
    let answer: (found: Verified) => void = () => undefined;
    const storage = {
      call: () => new Promise<Verified>(resolve => (answer = resolve)),
    } as unknown as StorageClient;
    const checks = new HistoryChecks(storage, systemClock);
    const { run, abort } = looseRun();
    const first = checks.run(vmId, run);
    await turns();
    await expect(checks.run(vmId, run)).rejects.toMatchObject({
      body: { code: 'vm.wrong-state' },
    });
    expect(checks.report(vmId)?.state).toBe('running');
    abort.abort();
    answer(piece(more));
    await expect(first).rejects.toThrow();
    expect(checks.report(vmId)?.state).toBe('stopped');
  });

  it('is paused between two pieces, and goes on from there by the next control', async () => {
    const asked: unknown[] = [];
    let answer: (found: Verified) => void = () => undefined;
    const storage = {
      call: (_: string, { cursor }: { cursor: unknown }) => {
        asked.push(cursor);
        return new Promise<Verified>(resolve => (answer = resolve));
      },
    } as unknown as StorageClient;
    const paused = looseRun();
    void new HistoryChecks(storage, systemClock).run(vmId, paused.run).catch(() => undefined);
    await turns();
    paused.gate.set(true);
    answer(piece(more));
    await turns();
    expect(asked).toEqual([null]);
    expect(paused.told).toEqual([['comparing', { done: 100, total: 200 }]]);
    const { stood } = paused;
    paused.abort.abort();

    const checks = new HistoryChecks(storage, systemClock);
    const again = checks.run(vmId, looseRun(JSON.parse(JSON.stringify(stood()))).run);
    await turns();
    expect(asked).toEqual([null, more]);
    answer(piece(null));
    await again;
    expect(checks.report(vmId)).toMatchObject({ state: 'done', checkedBytes: 200, totalBytes: 200 });
  });
});
