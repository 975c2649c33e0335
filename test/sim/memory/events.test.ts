import { describe, expect, it } from 'vitest';
import { EVENT_SCENARIOS, eventRows } from './events.ts';
import { Laptop } from './laptop.ts';

const SEEDS = [901];
const MODES = ['demand', 'proportional'] as const;

describe('what happens on a laptop', () => {
  it('M2, M3, M5, M6: starts take what memory takes, plans follow at once, and nothing is refused that fits', async () => {
    console.info(`memory events: seeds ${SEEDS}; npm run sim -- memory --policies all tells the figures`);
    const { violations, rows } = await eventRows(SEEDS);
    expect(violations).toEqual([]);
    expect(rows.filter(row => !row.met)).toEqual([]);
    for (const { name } of EVENT_SCENARIOS)
      expect(rows.some(row => row.work.startsWith(name) && row.target.startsWith('floor'))).toBe(true);
  }, 120_000);

  it.each(MODES)(
    'M2, M3: a host whose use jumps by 2 GiB at once has them as fast as balloons give, mode %s',
    async mode => {
      const laptop = new Laptop({ seed: 1, mode, totalMib: 16_384 });
      laptop.useMib = 3500;
      const demandMib = 900;
      const load = () => ({ demandMib, hotMib: 200, readMibPerS: 0 });
      for (let n = 1; n <= 4; n++) {
        void laptop.start(n, { minMib: 1024, maxMib: 6144, load });
        await laptop.run(20);
      }
      expect(laptop.overMib).toBeLessThanOrEqual(laptop.guests.size);
      const before = [...laptop.guests.values()].map(guest => guest.target);
      laptop.useMib += 2048;
      expect(laptop.overMib).toBeGreaterThan(1000);
      let seconds = 0;
      for (; laptop.overMib > 0 && seconds < 60; seconds += 0.25) {
        await laptop.run(0.25);
        // Until everything fits nobody is given memory, and nobody is asked to go below its minimum.
        for (const [index, guest] of [...laptop.guests.values()].entries()) {
          expect(guest.target).toBeLessThanOrEqual(before[index] ?? 0);
          expect(guest.target).toBeGreaterThanOrEqual(1024);
        }
      }
      laptop.end();
      console.info(`mode ${mode}: over again after ${seconds} s`);
      // A tick until the jump is seen; then each guest gives 800 MiB a second.
      expect(seconds).toBeLessThanOrEqual(1 + 2);
      expect(laptop.violations).toEqual([]);
    },
  );

  it('M4: guests without swap have memory before they run out of it, which a fixed share of it does not give', async () => {
    const ranOut = async (mode: (typeof MODES)[number]): Promise<number> => {
      const laptop = new Laptop({ seed: 1, mode, totalMib: 6144 });
      // One after the other each grows by 60 MiB a second beyond an equal part, and falls idle again.
      const growing = (n: number) => (at: number) => {
        const since = (at + n * 80) % 240;
        const demandMib = 300 + Math.max(0, Math.min(60 * since, 1500, 60 * (80 - since)));
        return { demandMib, hotMib: 100, readMibPerS: 0 };
      };
      for (const n of [1, 2, 3]) {
        void laptop.start(n, { minMib: 512, maxMib: 3072, swapMib: 0, load: growing(n) });
        await laptop.run(20);
      }
      await laptop.run(480);
      laptop.end();
      expect(laptop.guests.size).toBe(3);
      expect(laptop.violations).toEqual([]);
      return [...laptop.guests.values()].reduce((sum, guest) => sum + guest.killed + guest.ranOut, 0);
    };
    expect(await ranOut('demand')).toBe(0);
    expect(await ranOut('proportional')).toBeGreaterThan(0);
  });
});
