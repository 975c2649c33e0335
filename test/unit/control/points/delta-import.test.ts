// Whom an update belongs to: decided before anything is made, by UUID and by the size its point had.
import { describe, expect, it } from 'vitest';
import { chooseParent } from '../../../../electron/control/points/delta-import.ts';
import { diskIdSchema, momentIdSchema, pointIdSchema } from '../../../../shared/ids.ts';
import type { Timeline } from '../../../../shared/timeline.ts';

const GIB = 2 ** 30;
const disk = diskIdSchema.parse('00000000-0000-4000-8000-00000000000d');
const point = pointIdSchema.parse('00000000-0000-4000-8000-00000000000a');
const moment = momentIdSchema.parse('00000000-0000-4000-8000-00000000000b');
const file = { path: '/x/update.vhd', name: 'update.vhd', bytes: 1, modifiedMs: 0 };

/** The point is of 10 GiB; the disk has grown to 20 since. */
const timeline = {
  disks: [{ id: disk, virtualBytes: 20 * GIB }],
  moments: [
    { id: moment, name: 'before', points: [{ diskId: disk, pointId: point, virtualBytes: 10 * GIB }] },
  ],
} as unknown as Timeline;

const choose = (bytes: number, byUuid: boolean) =>
  chooseParent(
    file,
    { virtualBytes: bytes, exactBytes: bytes },
    {
      timeline,
      points: byUuid ? [point] : [],
      ontoId: byUuid ? null : moment,
      parentUuid: point,
    },
  );

describe('an update and a disk that has grown since its point (T12)', () => {
  it.each([true, false])('fits by the size the point had (named by its UUID: %s)', byUuid => {
    expect(choose(10 * GIB, byUuid)).toBe(point);
  });

  it.each([true, false])(
    'is refused where it has the size of the disk now (named by its UUID: %s)',
    byUuid => {
      expect(() => choose(20 * GIB, byUuid)).toThrow(`current size is ${20 * GIB}, expected ${10 * GIB}`);
    },
  );
});
