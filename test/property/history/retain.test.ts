// What may go from a history, over thousands of random ones.
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { freesInOrder } from '../../../electron/control/history/freeing.ts';
import { type Line, oldestFirst, protections, retain } from '../../../electron/control/history/retain.ts';
import type { Retention } from '../../../shared/history.ts';
import type { MomentId, PointId } from '../../../shared/ids.ts';
import { MIB } from '../../../shared/units.ts';
import { EPOCH, lineArbitrary, without } from '../../support/histories.ts';
import { berlin } from '../../support/zones.ts';

const HOUR_MS = 3_600_000;
const keepArbitrary: fc.Arbitrary<Retention> = fc.record({
  allHours: fc.integer({ min: 1, max: 100 }),
  days: fc.nat(10),
  weeks: fc.nat(6),
  months: fc.nat(6),
});
const quotaArbitrary = fc.option(fc.nat(4000).map(mib => mib * MIB));
const worldArbitrary = fc.record({
  line: lineArbitrary,
  keep: keepArbitrary,
  quotaBytes: quotaArbitrary,
  used: fc.array(fc.nat(59), { maxLength: 3 }),
  spared: fc.array(fc.nat(59), { maxLength: 3 }),
  hours: fc.nat(3000),
  heldDays: fc.constantFrom(0, 1, 3, 30),
});
const RUNS = { numRuns: 2000 };

type World = typeof worldArbitrary extends fc.Arbitrary<infer W> ? W : never;

function givenOf({ line, used, spared }: World) {
  const moments = (indices: readonly number[]) => indices.flatMap(index => line.moments[index] ?? []);
  return {
    inUse: new Set<PointId>(moments(used).flatMap(({ points }) => points.map(({ pointId }) => pointId))),
    spared: new Set<MomentId>(moments(spared).map(({ id }) => id)),
  };
}
const retained = (world: World, nowMs = EPOCH + world.hours * HOUR_MS, line: Line = world.line) =>
  retain(line, givenOf(world), world, nowMs, berlin);
const idsOf = (drop: readonly { readonly momentId: MomentId }[]): Set<MomentId> =>
  new Set(drop.map(({ momentId }) => momentId));
const pastBytes = ({ moments }: Line): number =>
  moments
    .flatMap(({ points }) => points)
    .reduce((sum, { form, allocatedBytes }) => sum + (form === 'root' ? 0 : allocatedBytes), 0);

describe('retention', () => {
  it('never drops what is protected, nor anything but automatic points', () => {
    fc.assert(
      fc.property(worldArbitrary, world => {
        const held = protections(world.line, givenOf(world));
        const { moments, nowParentId } = world.line;
        const children = (id: MomentId): number =>
          moments.filter(({ parentId }) => parentId === id).length + (id === nowParentId ? 1 : 0);
        for (const { momentId } of retained(world).drop) {
          const moment = moments.find(({ id }) => id === momentId);
          expect(held.has(momentId)).toBe(false);
          expect(moment).toMatchObject({ kind: 'automatic', name: '', note: '', pinned: false });
          expect(momentId).not.toBe(nowParentId);
          // In a line that goes on on both sides: a branch loses neither its root nor its end.
          expect(children(momentId)).toBe(1);
          for (const { pointId } of moment?.points ?? [])
            expect(givenOf(world).inUse.has(pointId)).toBe(false);
          expect(givenOf(world).spared.has(momentId)).toBe(false);
        }
      }),
      RUNS,
    );
  });

  it('done again at once, drops nothing more', () => {
    fc.assert(
      fc.property(worldArbitrary, world => {
        const left = without(world.line, idsOf(retained(world).drop));
        expect(retained(world, undefined, left).drop).toEqual([]);
      }),
      RUNS,
    );
  });

  it('leaves the branches as they are', () => {
    fc.assert(
      fc.property(worldArbitrary, world => {
        const held = [...protections(world.line, givenOf(world))].filter(
          ([, why]) => why === 'fork' || why === 'tip',
        );
        const left = without(world.line, idsOf(retained(world).drop));
        const after = protections(left, givenOf(world));
        for (const [id, why] of held) expect(after.get(id)).toBe(why);
      }),
      RUNS,
    );
  });

  it('later thins no less, and a smaller quota drops no less', () => {
    fc.assert(
      fc.property(worldArbitrary, fc.nat(5000), fc.nat(4000), (world, more, mib) => {
        const now = retained({ ...world, quotaBytes: null });
        const later = retained({ ...world, quotaBytes: null }, EPOCH + (world.hours + more) * HOUR_MS);
        const then = idsOf(later.drop);
        expect(now.drop.filter(({ momentId }) => !then.has(momentId))).toEqual([]);
        if (world.quotaBytes === null) return;
        const tight = idsOf(retained({ ...world, quotaBytes: Math.min(world.quotaBytes, mib * MIB) }).drop);
        expect(retained(world).drop.filter(({ momentId }) => !tight.has(momentId))).toEqual([]);
      }),
      RUNS,
    );
  });

  it('reaches the quota, or says by what not and who holds it; and drops not one too many for it', () => {
    fc.assert(
      fc.property(worldArbitrary, world => {
        const { quotaBytes } = world;
        const { drop, quota } = retained(world);
        const thinned = drop.filter(({ why }) => why === 'thinned');
        const left = pastBytes(without(world.line, idsOf(drop)));
        expect(quota.usedBytes).toBe(pastBytes(world.line));
        if (quotaBytes === null) {
          expect([drop.length, quota.overBytes]).toEqual([thinned.length, 0]);
          return;
        }
        expect(quota.overBytes).toBe(Math.max(0, left - quotaBytes));
        const heldBytes = quota.heldBy.reduce((sum, { bytes }) => sum + bytes, 0);
        expect(heldBytes).toBe(quota.overBytes === 0 ? 0 : left);
        const forQuota = drop.filter(({ why }) => why === 'quota').map(({ momentId }) => momentId);
        if (forQuota.length === 0) return;
        const spared = idsOf(drop);
        const newest = oldestFirst(world.line.moments).findLast(({ id }) => forQuota.includes(id));
        spared.delete(newest?.id as MomentId);
        expect(pastBytes(without(world.line, spared))).toBeGreaterThan(quotaBytes);
      }),
      RUNS,
    );
  });
});

it('no quota drops automatic points younger than what IT has kept, and what it is exceeded by is said', () => {
  let kept = 0;
  fc.assert(
    fc.property(worldArbitrary, world => {
      const nowMs = EPOCH + world.hours * HOUR_MS;
      const { drop, quota } = retained({ ...world, quotaBytes: 1 });
      const young = ({ takenAt }: { readonly takenAt: number }): boolean =>
        takenAt > nowMs - world.heldDays * 24 * HOUR_MS;
      const forQuota = idsOf(drop.filter(({ why }) => why === 'quota'));
      expect(world.line.moments.filter(moment => forQuota.has(moment.id) && young(moment))).toEqual([]);
      const limited = quota.heldBy.find(({ by }) => by === 'limit');
      if (limited === undefined) return;
      kept++;
      const free = idsOf(retained({ ...world, quotaBytes: 1, heldDays: 0 }).drop);
      const held = world.line.moments.filter(({ id }) => free.has(id) && !idsOf(drop).has(id));
      expect(limited.bytes).toBe(pastBytes({ ...world.line, moments: held }));
    }),
    RUNS,
  );
  expect(kept).toBeGreaterThan(100);
});

describe('what dropping several frees', () => {
  /** By what storage does: files go one after the other while nothing hangs off them. */
  function looseBytes(line: Line, gone: ReadonlySet<MomentId>): number {
    let left = line;
    let bytes = 0;
    const loose = () => left.moments.find(({ id, freesBytes }) => gone.has(id) && freesBytes !== null);
    for (let next = loose(); next !== undefined; next = loose()) {
      bytes += next.freesBytes ?? 0;
      left = without(left, new Set([next.id]));
    }
    return bytes;
  }

  it('is to the byte what goes file by file, in whatever order they are named', () => {
    fc.assert(
      fc.property(lineArbitrary, fc.infiniteStream(fc.nat(1000)), (line, stream) => {
        const keys = new Map(line.moments.map(({ id }) => [id, stream.next().value as number]));
        const order = line.moments
          .map(({ id }) => id)
          .filter(id => id !== line.nowParentId)
          .sort((a, b) => (keys.get(a) ?? 0) - (keys.get(b) ?? 0));
        const merged = (id: MomentId): number =>
          line.moments.find(moment => moment.id === id)?.freesBytes === null ? 1 : 0;
        freesInOrder(line, order, merged).forEach(({ freesNowBytes, freesLaterBytes }, index) => {
          const gone = new Set(order.slice(0, index + 1));
          expect(freesNowBytes).toBe(looseBytes(line, gone));
          expect(freesLaterBytes).toBeGreaterThanOrEqual(0);
        });
      }),
      { numRuns: 500 },
    );
  });
});
