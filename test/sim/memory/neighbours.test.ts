import fc from 'fast-check';
import { describe, it } from 'vitest';
import { NEIGHBOURS, type Neighbourhood, undisturbed } from './neighbours.ts';

const RUNS = 100;
/** Starts once late: they waited for the rest of a slow balloon, or relied on one found stuck. */
const DELAYED: readonly Neighbourhood[] = [
  {
    mode: 'demand',
    vms: [
      { kind: 'slow', minMib: 384, rangeMib: 512, needPercent: 68 },
      { kind: 'dies-mid-way', minMib: 256, rangeMib: 3840, needPercent: 31 },
      { kind: 'normal', minMib: 1280, rangeMib: 2944, needPercent: 20 },
    ],
    roomPercent: 66,
  },
  {
    mode: 'proportional',
    vms: [
      { kind: 'slow', minMib: 384, rangeMib: 2560, needPercent: 55 },
      { kind: 'slow', minMib: 1152, rangeMib: 4800, needPercent: 121 },
      { kind: 'normal', minMib: 960, rangeMib: 2560, needPercent: 95 },
      { kind: 'normal', minMib: 512, rangeMib: 1280, needPercent: 68 },
    ],
    roomPercent: 67,
  },
  {
    mode: 'proportional',
    vms: [
      { kind: 'dies-mid-way', minMib: 896, rangeMib: 4864, needPercent: 110 },
      { kind: 'dies-mid-way', minMib: 704, rangeMib: 3328, needPercent: 24 },
      { kind: 'normal', minMib: 1088, rangeMib: 1024, needPercent: 68 },
    ],
    roomPercent: 91,
  },
];

describe('neighbours', () => {
  it(NEIGHBOURS.title, async () => {
    console.info(`memory neighbours: ${RUNS} laptops; npm run sim -- memory runs 1000`);
    await fc.assert(NEIGHBOURS.property, { numRuns: RUNS, endOnFailure: true });
  }, 120_000);

  it.each(DELAYED)(
    'M4: a start waits neither for trickles nor for who was found stuck, mode $mode',
    undisturbed,
  );
});
