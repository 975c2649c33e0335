import { describe, expect, it } from 'vitest';
import { Histories } from '../../../../electron/control/memory/histories.ts';
import type { VmId } from '../../../../shared/ids.ts';

const id = 'v' as VmId;
const sample = (at: number, actualKib = 100) => ({ at, targetKib: 100, actualKib, usedKib: null });

describe('the chart of a VM', () => {
  it('goes on over a stop and a start, with a gap between', () => {
    const histories = new Histories();
    histories.note(id, sample(1_000));
    histories.note(id, sample(1_500));
    histories.note(id, sample(2_000, 90));
    histories.end(id, 2_100);
    histories.note(id, sample(2_200, 80));
    expect(histories.since(id, 0).map(({ at, actualKib }) => [at, actualKib])).toEqual([
      [1_000, 100],
      [2_000, 90],
      [2_100, null],
      [2_200, 80],
    ]);
    expect(histories.since(id, 2_000)).toHaveLength(2);
  });

  it('is bounded: the oldest samples go first, and the VM silent longest', () => {
    const histories = new Histories();
    for (let second = 0; second < 1_000; second++) histories.note(id, sample(second * 1_000));
    const kept = histories.since(id, -1);
    expect(kept).toHaveLength(600);
    expect(kept.at(-1)?.at).toBe(999_000);
    for (let other = 0; other < 300; other++) histories.note(`o${other}` as VmId, sample(1));
    expect(histories.since(id, -1)).toEqual([]);
    expect(histories.since('o299' as VmId, -1)).toHaveLength(1);
  });
});
