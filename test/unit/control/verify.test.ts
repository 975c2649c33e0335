// A check of a history, as control drives it: piece by piece, one at a time, and its report says how it ended.
import { describe, expect, it } from 'vitest';
import { HistoryChecks } from '../../../electron/control/verify.ts';
import { systemClock } from '../../../electron/platform/clock.ts';
import type { StorageClient } from '../../../electron/storage/client.ts';
import { type VmId, vmIdSchema } from '../../../shared/ids.ts';
import type { Verified } from '../../../shared/verify.ts';

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
    await checks.run(vmId, () => undefined, new AbortController().signal);
    expect(asked).toEqual([null, more]);
    expect(checks.report(vmId)).toMatchObject({ state: 'done', checkedBytes: 200, totalBytes: 200 });
  });

  it('is one at a time, and ends as stopped where it was cancelled: nobody takes half of one for all', async () => {
    let answer: (found: Verified) => void = () => undefined;
    const storage = {
      call: () => new Promise<Verified>(resolve => (answer = resolve)),
    } as unknown as StorageClient;
    const checks = new HistoryChecks(storage, systemClock);
    const abort = new AbortController();
    const first = checks.run(vmId, () => undefined, abort.signal);
    await expect(checks.run(vmId, () => undefined, abort.signal)).rejects.toMatchObject({
      body: { code: 'vm.wrong-state' },
    });
    expect(checks.report(vmId)?.state).toBe('running');
    abort.abort();
    answer(piece(more));
    await expect(first).rejects.toThrow();
    expect(checks.report(vmId)?.state).toBe('stopped');
  });
});
