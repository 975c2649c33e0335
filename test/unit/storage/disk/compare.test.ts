// What comparing two points tells, in units of 4 KiB: each that differs, and of the others at most what was written in between; and
// where there are more places than are told, that there are.
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import type { VmEngine } from '../../../../electron/storage/disk/engine.ts';
import { openVmFolder } from '../../../../electron/storage/disk/open-folder.ts';
import type { DiskId, MomentId, VmId } from '../../../../shared/ids.ts';
import { randomBytes, Seeded } from '../../../support/seeded.ts';

const vmId = '00000000-0000-4000-8000-000000000001' as VmId;
const diskId = '00000000-0000-4000-8000-000000000002' as DiskId;
const MIB = 2 ** 20;
const UNIT = 4096;
const RANGES_MAX = 10_000;
const turn = (): Promise<void> => new Promise(resolve => setImmediate(resolve));

let folder: string;
let engine: VmEngine;

beforeEach(async () => {
  folder = mkdtempSync(join(tmpdir(), 'ebb-compare-'));
  engine = await openVmFolder(vmId, folder, { turn }, { autoSettle: false });
});
afterEach(async () => {
  await engine.close().catch(() => undefined);
  rmSync(folder, { recursive: true, force: true });
});

const take = async (): Promise<MomentId> =>
  (await engine.takeMoment({ name: 'p', note: '', kind: 'manual' })).id;

interface Seen {
  readonly id: MomentId;
  readonly content: Buffer;
  /** What it was taken after, and the units written since. */
  readonly after: Seen | null;
  readonly written: ReadonlySet<number>;
}

/** A line of five with branches off it; some of it settled, some of it not. */
async function history(random: Seeded): Promise<Seen[]> {
  const volume = engine.volume(diskId);
  const seen: Seen[] = [];
  for (let point = 0; point < 7; point++) {
    let after = seen.at(-1) ?? null;
    if (point >= 5) {
      after = random.pick(seen);
      await engine.goBack({ momentId: after.id, keepName: 'nothing to keep' });
    }
    const written = new Set<number>();
    for (let count = 0; count < 12; count++) {
      const length = 512 * (1 + random.below(60));
      // Often over the edge of two blocks.
      const first = random.below(3) === 0 ? 2 * MIB * (1 + random.below(3)) - length / 2 : null;
      const at =
        512 * Math.floor(first === null ? random.below((volume.sizeBytes - length) / 512) : first / 512);
      if (random.below(4) === 0) volume.zero(at, length, true);
      else volume.write(randomBytes(length, random.next()), at);
      for (let unit = Math.floor(at / UNIT); unit * UNIT < at + length; unit++) written.add(unit);
    }
    const content = Buffer.alloc(volume.sizeBytes);
    volume.read(content, 0);
    seen.push({ id: await take(), content, after, written });
    if (random.below(2) === 0) await engine.settle();
  }
  return seen;
}

/** Units written on the way from one to the other, through what both came after. */
function between(from: Seen, to: Seen): Set<number> {
  const lineOf = (seen: Seen): Seen[] => {
    const line = [];
    for (let at: Seen | null = seen; at !== null; at = at.after) line.push(at);
    return line;
  };
  const [one, other] = [lineOf(from), lineOf(to)];
  const apart = [...one.filter(row => !other.includes(row)), ...other.filter(row => !one.includes(row))];
  return new Set(apart.flatMap(({ written }) => [...written]));
}

describe('comparing two points', () => {
  it.each([1, 2, 3, 4])(
    'T4: misses no place, and tells none that nothing was written to, history %i',
    async seed => {
      await engine.createDisk(diskId, 8 * MIB);
      const seen = await history(new Seeded(seed));
      for (const from of seen)
        for (const to of seen) {
          const [compared] = await engine.inspect.compare(from.id, to.id);
          const { ranges, bytes } = compared?.difference ?? { ranges: [], bytes: 0 };
          expect(ranges.reduce((sum, { length }) => sum + length, 0)).toBe(bytes);
          const told = new Set(
            ranges.flatMap(({ offset, length }) =>
              Array.from({ length: Math.ceil(length / UNIT) }, (_, index) => offset / UNIT + index),
            ),
          );
          const may = between(from, to);
          expect([...told].filter(unit => !may.has(unit))).toEqual([]);
          for (let unit = 0; unit * UNIT < from.content.length; unit++) {
            const [at, end] = [unit * UNIT, (unit + 1) * UNIT];
            if (!told.has(unit) && !from.content.subarray(at, end).equals(to.content.subarray(at, end)))
              expect.unreachable(`unit ${unit} differs and is not told`);
          }
        }
    },
  );

  it(`tells the first ${RANGES_MAX} places, that there are more, and how much all of them are`, async () => {
    const places = RANGES_MAX + 25;
    await engine.createDisk(diskId, 2 * UNIT * places);
    const before = await take();
    const volume = engine.volume(diskId);
    for (let place = 0; place < places; place++) volume.write(Buffer.alloc(UNIT, 1), 2 * UNIT * place);
    const [compared] = await engine.inspect.compare(before, null);
    const { ranges, bytes, isTruncated } = compared?.difference ?? {
      ranges: [],
      bytes: 0,
      isTruncated: false,
    };
    expect([ranges.length, bytes, isTruncated]).toEqual([RANGES_MAX, places * UNIT, true]);
    expect(ranges.at(-1)).toEqual({ offset: 2 * UNIT * (RANGES_MAX - 1), length: UNIT });
  });
});
