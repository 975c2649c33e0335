// After random programs, with every death in them, 7-Zip reads every point as the oracle knows it. Only disks
// whose points are all of one size are read: of the others 7-Zip reads only as much as fits.
import { spawnSync } from 'node:child_process';
import { join } from 'node:path';
import * as fc from 'fast-check';
import { expect, it } from 'vitest';
import { withFiles } from '../storage/as-files.ts';
import { Life } from './life.ts';
import { type Program, programs } from './operations.ts';

const SEED = 20261130;
const PROGRAMS = 40;

/** Answers how many points 7-Zip read. */
async function readBySevenZip({ machine, oracle }: Life): Promise<number> {
  let read = 0;
  for (const { id: diskId, virtualBytes } of machine.world.store.rows('disk')) {
    const points = machine.world.store.rows('point').filter(point => point.diskId === diskId);
    if (points.some(point => (point.virtualBytes ?? virtualBytes) !== virtualBytes)) continue;
    await withFiles(machine.world.folder(diskId), place => {
      for (const { id, momentId } of points) {
        const known = momentId === null ? undefined : oracle.moments.get(momentId)?.content.get(diskId);
        if (known === undefined) continue;
        const ran = spawnSync('7z', ['x', '-tVHD', '-so', join(place, `${id}.vhd`)], { maxBuffer: 2 ** 26 });
        expect(ran.status, ran.stderr.toString()).toBe(0);
        expect(Buffer.compare(ran.stdout, known), `point ${id}`).toBe(0);
        read++;
      }
    });
  }
  return read;
}

it(`T4, T12: of ${PROGRAMS} programs, from seed ${SEED} on`, async () => {
  let read = 0;
  for (const program of fc.sample<Program>(programs, { seed: SEED, numRuns: PROGRAMS })) {
    const life = new Life(program.schedule);
    await life.run(program);
    read += await readBySevenZip(life);
  }
  console.info(`programs: 7-Zip read ${read} points of ${PROGRAMS} programs`);
  expect(read).toBeGreaterThan(PROGRAMS);
}, 300_000);
