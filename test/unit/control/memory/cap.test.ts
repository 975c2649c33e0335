// M10: the cap per VM binds everything it should, also where it came after what it binds.
import { describe, expect, it } from 'vitest';
import { capped } from '../../../../electron/control/memory/range.ts';
import { MIB, specOf, World } from '../../../support/memory-world.ts';

const CAP = 512 * MIB;

describe('a cap lowered later', () => {
  it.each(['demand', 'proportional'] as const)(
    'shrinks a VM that runs, mode %s, and lets go of it again',
    async mode => {
      const world = new World(4000 * MIB);
      world.manager.setPolicy({ mode });
      await world.start(1, specOf(1, 256, 2048));
      expect(world.actual(1)).toBe(2048);
      world.manager.setPolicy({ capKib: CAP });
      await world.run(12_000);
      expect(world.actual(1)).toBe(512);
      world.manager.setPolicy({ capKib: null });
      await world.run(60_000);
      expect(world.actual(1)).toBeGreaterThan(1900);
    },
  );

  it('binds a start, and its preview says so', async () => {
    const world = new World(4000 * MIB);
    world.manager.setPolicy({ capKib: CAP });
    expect(world.manager.preview(specOf(1, 256, 2048))).toMatchObject({ feasible: true, bootKib: CAP });
    expect((await world.start(1, specOf(1, 256, 2048))).bootKib).toBe(CAP);
  });

  it('binds also a VM whose minimum is above it', async () => {
    const world = new World(4000 * MIB);
    world.manager.setPolicy({ capKib: CAP });
    expect((await world.start(1, specOf(1, 1024, 2048))).bootKib).toBe(CAP);
  });

  it('lets saved memory go on as large as it was, and shrinks it then', async () => {
    const world = new World(4000 * MIB);
    world.manager.setPolicy({ capKib: CAP });
    const leasing = world.manager.lease({
      spec: specOf(1, 256, 2048),
      exactKib: 1024 * MIB,
      signal: new AbortController().signal,
    });
    await world.run(500);
    expect((await leasing).bootKib).toBe(1024 * MIB);
  });

  it('is a whole number of MiB, and nothing where there is none', () => {
    const range = { minKib: 100 * MIB, maxKib: 900 * MIB };
    expect(capped(range, 512 * MIB + 700)).toEqual({ minKib: 100 * MIB, maxKib: 512 * MIB });
    expect(capped(range, null)).toBe(range);
  });
});
