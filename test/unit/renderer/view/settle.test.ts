import { describe, expect, it } from 'vitest';
import { healthOf, reversalFigures, workFigures } from '../../../../renderer/view/settle.ts';
import type { DiskId, MomentId, VmId } from '../../../../shared/ids.ts';
import type { Reversal, Timeline } from '../../../../shared/timeline.ts';
import { SETTLE_AT_REST } from '../../../support/settle-at-rest.ts';

const reversal: Reversal = {
  diskId: 'd' as DiskId,
  fromMomentId: 'a' as MomentId,
  toMomentId: 'b' as MomentId,
  phase: 'copy',
  blocksDone: 50,
  blocksTotal: 200,
  bytesDone: 100,
  bytesTotal: 400,
  bytesPerSecond: 100,
  batches: 3,
};
const timeline = (
  settle: Partial<Timeline['settle']>,
  depth: number,
  poisoned: string | null = null,
): Timeline => ({
  vmId: 'v' as VmId,
  disks: [{ id: 'd' as DiskId, virtualBytes: 1, allocatedBytes: 1, depth, poisoned }],
  moments: [],
  trash: [],
  nowParentId: null,
  nowBytes: 0,
  settle: { ...SETTLE_AT_REST, ...settle },
  freeBytes: 0,
});

describe('the reversal in figures', () => {
  it('counts its share in blocks and what is left in bytes', () => {
    expect(reversalFigures(reversal)).toEqual({ share: 0.25, remainingMs: 3000 });
  });

  it('does not promise a time without a rate', () => {
    expect(reversalFigures({ ...reversal, bytesPerSecond: 0 }).remainingMs).toBeNull();
  });

  it('T7: runs the bead backwards while a reversal is undone', () => {
    expect(reversalFigures({ ...reversal, phase: 'undo' }).share).toBe(0.75);
  });

  it('is whole while it flips, and nothing where there is nothing to copy', () => {
    expect(reversalFigures({ ...reversal, phase: 'flip' }).share).toBe(1);
    expect(reversalFigures({ ...reversal, blocksTotal: 0 }).share).toBe(0);
  });
});

describe('other background work in figures', () => {
  const work = { kind: 'merge', diskId: reversal.diskId, bytesDone: 100, bytesTotal: 400 } as const;

  it('counts its share and what is left in bytes', () => {
    expect(workFigures({ ...work, bytesPerSecond: 100 })).toEqual({ share: 0.25, remainingMs: 3000 });
    expect(workFigures({ ...work, bytesPerSecond: 0 }).remainingMs).toBeNull();
    expect(workFigures({ ...work, bytesTotal: 0, bytesDone: 0, bytesPerSecond: 0 }).share).toBe(0);
  });
});

describe('the health line', () => {
  it('T17: says one file at rest, newest image and changes while running', () => {
    expect(healthOf(timeline({}, 1))).toBe('one-file');
    expect(healthOf(timeline({}, 2))).toBe('newest-and-today');
  });

  it('T14: puts a poisoned disk before everything else', () => {
    expect(healthOf(timeline({ state: 'settling' }, 2, 'sync failed'))).toBe('poisoned');
    expect(healthOf(timeline({ state: 'blocked', reason: 'disk full' }, 2))).toBe('blocked');
  });

  it('tells who paused it: a person, or the battery', () => {
    expect(healthOf(timeline({ state: 'paused', isPaused: true, isHeld: true }, 3))).toBe('paused');
    expect(healthOf(timeline({ state: 'paused', isHeld: true }, 3))).toBe('held');
  });

  it('does not say rest while edges wait', () => {
    expect(healthOf(timeline({ pendingEdges: 2 }, 3))).toBe('settling');
  });
});
