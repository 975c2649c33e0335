// How long one plan takes, warm, for 50 VMs and for 10,000. The peer is
// the goal itself: nobody else plans for so many. Processor time of the thread, so that a busy machine says the same.
import type { HostModel, VmModel } from '../../../electron/control/memory/model.ts';
import { plan } from '../../../electron/control/memory/plan.ts';
import { vmIdOf } from '../../support/memory-models.ts';
import type { BenchRow, SuiteOptions } from '../../support/report.ts';
import { Seeded } from '../../support/seeded.ts';

const MIB = 1024;
const GOALS_MS: readonly (readonly [number, number])[] = [
  [50, 0.2],
  [10_000, 20],
];

const WEIGHTS: readonly (readonly [string, readonly number[]])[] = [
  ['', [50, 100, 100, 300]],
  // All there can be (range.ts).
  [', 10,000 weights', Array.from({ length: 10_000 }, (_, index) => index + 1)],
];

function hostOf(
  count: number,
  mode: HostModel['mode'],
  weights: readonly number[],
  random: Seeded,
): HostModel {
  const vms = Array.from({ length: count }, (_, index): VmModel => {
    const minKib = (256 + random.below(1024)) * MIB;
    const ceilingKib = minKib + random.below(8192) * MIB;
    const workingKib = random.below(8192) * MIB;
    const actualKib = minKib + random.below((ceilingKib - minKib) / MIB + 1) * MIB;
    return {
      id: vmIdOf(index),
      name: `vm${index}`,
      minKib,
      ceilingKib,
      bootKib: ceilingKib,
      targetKib: actualKib,
      actualKib,
      mayHoldKib: 0,
      usedKib: workingKib,
      overheadKib: 200 * MIB,
      weight: weights[index % weights.length] ?? 1,
      wants: {
        workingKib,
        bufferKib: workingKib * 1.1,
        cacheKib: workingKib * 1.3,
        isUrgent: random.below(4) === 0,
      },
      shrankAtMs: null,
      grewAtMs: null,
      lateKib: 0,
      isSlow: false,
      hasRefused: false,
      held: random.below(10) === 0 ? 'booting' : null,
    };
  });
  return { mode, budgetKib: count * 3000 * MIB, leasedKib: 0, waitingKib: 0, vms };
}

export function planning({ seed, quick }: SuiteOptions): BenchRow[] {
  const rows: BenchRow[] = [];
  for (const mode of ['demand', 'proportional'] as const)
    for (const [count, goalMs] of GOALS_MS)
      for (const [name, weights] of WEIGHTS) {
        const host = hostOf(count, mode, weights, new Seeded(seed));
        const rounds = quick ? 40 : 200;
        // A clock of the processor's that ticks coarsely is asked after some milliseconds of work.
        const batch = Math.ceil(10_000 / count);
        const took: number[] = [];
        for (let round = 0; round < rounds + 10; round++) {
          const before = process.threadCpuUsage();
          for (let again = 0; again < batch; again++) plan(host, 0);
          const { user, system } = process.threadCpuUsage(before);
          took.push((user + system) / 1000 / batch);
        }
        // The first ones warm the machine up.
        const warm = took.slice(10).sort((a, b) => a - b);
        const median = warm[Math.floor(warm.length / 2)] ?? Number.NaN;
        rows.push({
          work: `plan for ${count} VMs, ${mode}${name}, ms (lower is better)`,
          peer: 'goal',
          ours: median,
          theirs: goalMs,
          ratio: goalMs / median,
          spread: ((warm.at(-1) ?? 0) - (warm[0] ?? 0)) / median,
          target: `${goalMs} ms`,
          met: median <= goalMs,
        });
      }
  return rows;
}
