import { expect, it } from 'vitest';
import { batches, batchSizes } from '../../../../electron/storage/disk/batches.ts';

const MIB = 2 ** 20;
const LIMITS = { batchBytes: 8 * MIB, idleBatchBytes: 64 * MIB };

it('a batch doubles up to its limit while nobody uses the disk, and is small again as soon as somebody does', () => {
  let served = 0;
  const next = batchSizes(LIMITS, () => served);
  const sizes = (count: number): number[] => Array.from({ length: count }, () => next() / MIB);
  expect(sizes(6)).toEqual([8, 16, 32, 64, 64, 64]);
  served++;
  expect(sizes(1)).toEqual([8]);
  served++;
  expect(sizes(3)).toEqual([8, 16, 32]);
});

it('every block is in one batch, in order; a batch has at least one', () => {
  const blocks = Array.from({ length: 20 }, (_, block) => ({ block, bytes: 2 * MIB }));
  const sizes = [4 * MIB, 1, 100 * MIB];
  const cut = [...batches(blocks, () => sizes.shift() ?? 6 * MIB)];
  expect(cut.map(batch => batch.blocks.length)).toEqual([2, 1, 17]);
  expect(cut.flatMap(batch => batch.blocks)).toEqual(blocks.map(({ block }) => block));
  expect(cut[0]?.bytes).toBe(4 * MIB);
});
