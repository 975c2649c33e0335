import { describe, expect, it } from 'vitest';
import { findAttention } from '../../../../renderer/view/attention.ts';
import { findingsOf } from '../../../../renderer/view/check.ts';
import { asksForParent, lossOf } from '../../../../renderer/view/faults.ts';
import { growWish } from '../../../../renderer/view/grow.ts';
import { addedMoment, firstCompared, firstUpdate } from '../../../../renderer/view/points.ts';
import type { ErrorBody } from '../../../../shared/errors.ts';
import type { DiskId, MomentId, VmId } from '../../../../shared/ids.ts';
import type { Moment, Timeline } from '../../../../shared/timeline.ts';
import { GIB } from '../../../../shared/units.ts';
import type { Damage, VerifyReport } from '../../../../shared/verify.ts';
import type { VmSummary } from '../../../../shared/vm.ts';
import { SETTLE_AT_REST } from '../../../support/settle-at-rest.ts';

const moment = (id: string, parentId: string | null, takenAt: number): Moment => ({
  id: id as MomentId,
  parentId: parentId as MomentId | null,
  name: id,
  note: '',
  kind: 'manual',
  pinned: false,
  takenAt,
  trashedAt: null,
  points: [],
  allocatedBytes: 0,
  freesBytes: null,
  keptBecause: null,
});
const [first, second, branch] = [moment('a', null, 1), moment('b', 'a', 2), moment('c', 'a', 3)] as const;
const gone = moment('t', 'b', 4);
const timeline: Timeline = {
  vmId: 'v' as VmId,
  disks: [],
  moments: [first, second, branch],
  trash: [gone],
  nowParentId: second.id,
  nowBytes: 0,
  settle: SETTLE_AT_REST,
  freeBytes: 0,
};
const damage = (file: string, momentIds: readonly MomentId[], touchesNow = false): Damage => ({
  diskId: 'd' as DiskId,
  file,
  kind: 'data',
  offset: 0,
  length: 1,
  what: '',
  momentIds: [...momentIds],
  touchesNow,
});
const report = (damages: Damage[]): VerifyReport => ({
  state: 'done',
  startedAt: 0,
  checkedBytes: 1,
  unrecordedBytes: 0,
  totalBytes: 1,
  damages,
  isTruncated: false,
});

describe('what a check found', () => {
  it('names what is touched and the newest point that is not', () => {
    const found = findingsOf(report([damage('x', [first.id, gone.id]), damage('x', [branch.id])]), timeline);
    expect(found.touched.map(({ id }) => id)).toEqual(['t', 'c', 'a']);
    expect(found).toMatchObject({ touchesNow: false, wholeCount: 1, files: 1 });
    expect(found.newestWhole?.id).toBe('b');
  });

  it('tells Now apart, and knows when no point is whole', () => {
    const all = [first.id, second.id, branch.id];
    const found = findingsOf(report([damage('x', all, true), damage('y', [])]), timeline);
    expect(found).toMatchObject({ touchesNow: true, wholeCount: 0, newestWhole: null, files: 2 });
  });
});

describe('points as choices', () => {
  it('compares the chosen point, else the one Now grows from', () => {
    expect(firstCompared(timeline, branch)).toBe(branch);
    expect(firstCompared(timeline, null)).toBe(second);
    expect(firstCompared({ ...timeline, moments: [], nowParentId: null }, null)).toBeNull();
  });

  it('makes an update from the point before, and none of one point', () => {
    expect(firstUpdate(timeline, branch)).toEqual({ fromId: 'a', toId: 'c' });
    expect(firstUpdate(timeline, first)).toEqual({ fromId: 'c', toId: 'a' });
    expect(firstUpdate({ ...timeline, moments: [first] }, first)).toBeNull();
  });

  it('finds the point an update became', () => {
    expect(addedMoment(new Set(['a', 'b']), timeline)).toBe(branch);
    expect(addedMoment(new Set(['a', 'b', 'c']), timeline)).toBeNull();
  });
});

describe('how large a disk is to become', () => {
  it.each([
    ['60', { bytes: 60 * GIB }],
    ['40,5', { bytes: 40.5 * GIB }],
    ['40', { problem: 'not-larger' }],
    ['512 MiB', { problem: 'not-larger' }],
    ['2041', { problem: 'too-large' }],
    ['more', { problem: 'no-amount' }],
  ])('reads %s', (typed, wish) => {
    expect(growWish(typed, 40 * GIB)).toEqual(wish);
  });
});

describe('errors with an answer', () => {
  const body = (code: ErrorBody['code'], data?: ErrorBody['data']): ErrorBody => ({
    code,
    what: '',
    safe: '',
    todo: '',
    ...(data === undefined ? {} : { data }),
  });

  it('T5: offers to rebuild a timeline that is gone or cannot be read, and no other', () => {
    expect(lossOf(body('timeline.missing'))).toBe('gone');
    expect(lossOf(body('timeline.missing', { isDamaged: true }))).toBe('unreadable');
    // A disk that fails is not helped by a new list of points.
    expect(lossOf(body('disk.io'))).toBeNull();
    expect(lossOf(body('storage.unavailable'))).toBeNull();
  });

  it('T5: a lost timeline needs attention, whatever was known of it before', () => {
    const vm = { spec: { id: timeline.vmId }, state: { phase: 'off', error: null } } as VmSummary;
    const state = { vms: [vm], host: null, timelines: { [timeline.vmId]: timeline } };
    const lost = { [timeline.vmId]: body('timeline.missing') };
    expect(findAttention({ ...state, timelineErrors: lost })).toEqual([{ kind: 'lost', vm }]);
    expect(findAttention({ ...state, timelineErrors: {} })).toEqual([]);
  });

  it('asks for the parent where nobody here has its UUID, not where the size is wrong', () => {
    expect(asksForParent(body('vhd.parent-mismatch', { field: 'parent UUID' }))).toBe(true);
    expect(asksForParent(body('vhd.parent-mismatch', { field: 'current size' }))).toBe(false);
    expect(asksForParent(body('vhd.parent-mismatch'))).toBe(false);
  });
});
