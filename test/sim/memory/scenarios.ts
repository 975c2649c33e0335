// The scenarios in which policies are compared: VMs of a laptop, what runs in them, and what the host uses
// meanwhile.
import { Seeded } from '../../support/seeded.ts';
import type { DriverKind, Load } from './guest.ts';
import { type Curve, fitting, load, ramp, sine, steady, workday } from './loads.ts';

/** Seeds that were looked at while constants were chosen; no figures are reported from them. */
export const TUNING_SEEDS: readonly number[] = Array.from({ length: 60 }, (_, index) => index + 1);

export interface ScenarioVm {
  readonly minMib: number;
  readonly maxMib: number;
  readonly kind: DriverKind;
  readonly load: (seconds: number) => Load;
}

export interface Scenario {
  readonly name: string;
  /** Everyone's need fits at every moment, if memory moved at once. */
  readonly isFeasible: boolean;
  readonly totalMib: number;
  readonly hostMib: Curve;
  readonly vms: readonly ScenarioVm[];
}

const TOTAL = 16_384;
const HOT = 200;
/** Memory beside the guests' own: QEMU's, and in `MARGIN` what no policy may hand out. */
const OVERHEAD = 220;
const MARGIN = 640;

interface Sketch {
  readonly name: string;
  readonly min: number;
  readonly max: number;
  readonly curves: readonly Curve[];
  readonly use: Curve;
  /** The load as a share of what there is for guests; above 1 it cannot fit. */
  readonly fill: number;
  readonly kinds?: readonly DriverKind[];
  readonly reads?: readonly (Curve | null)[];
}

function scenario(
  { name, min, max, curves, use, fill, kinds = [], reads = [] }: Sketch,
  seconds: number,
): Scenario {
  const capacity: Curve = at => (TOTAL - use(at) - MARGIN - curves.length * (OVERHEAD + HOT)) * fill;
  const floors = curves.map(() => min - 300);
  const fitted = fitting(curves, floors, capacity, seconds);
  return {
    name,
    isFeasible: fill <= 1,
    totalMib: TOTAL,
    hostMib: use,
    vms: fitted.map((curve, index) => ({
      minMib: min,
      maxMib: max,
      kind: kinds[index] ?? 'normal',
      load: load(curve, HOT, reads[index] ?? undefined),
    })),
  };
}

const times = (count: number, make: (index: number) => Curve): Curve[] =>
  Array.from({ length: count }, (_, index) => make(index));

export function scenarios(seed: number, seconds: number): Scenario[] {
  const random = new Seeded(seed * 7919 + 17);
  const day = (high: number): Curve =>
    workday(random, { low: 500, high, holdS: [30, 150], riseMibPerS: 120, seconds });
  const hostDay = workday(random, { low: 2000, high: 4500, holdS: [60, 200], riseMibPerS: 100, seconds });
  const half = seconds / 2;
  const spike: Curve = at =>
    2000 + Math.min(2000, Math.max(0, (at % 240) - 120) * 150) * (at % 240 > 200 ? 0 : 1);
  const flood: Curve = at => (at % 200 < 100 ? 60 : 0);
  const sketches: Sketch[] = [
    { name: 'plenty', min: 512, max: 2560, curves: times(3, () => day(1800)), use: steady(2000), fill: 1 },
    { name: 'laptop', min: 1024, max: 6144, curves: times(4, () => day(5200)), use: hostDay, fill: 0.85 },
    { name: 'tight', min: 768, max: 5120, curves: times(6, () => day(4200)), use: steady(2500), fill: 0.95 },
    {
      name: 'stuck and slow',
      min: 1024,
      max: 5120,
      curves: times(4, index => (index === 0 ? steady(2000) : day(4200))),
      use: steady(2500),
      fill: 0.85,
      kinds: ['stuck', 'slow'],
    },
    {
      name: 'silent and lying',
      min: 1024,
      max: 5120,
      curves: times(4, index => (index === 0 ? steady(1500) : day(3600))),
      use: steady(2500),
      fill: 0.7,
      kinds: ['lying', 'silent'],
    },
    {
      name: 'bursts',
      min: 1024,
      max: 6144,
      curves: times(4, () =>
        workday(random, { low: 500, high: 5000, holdS: [10, 90], riseMibPerS: 400, seconds }),
      ),
      use: steady(2500),
      fill: 0.8,
    },
    {
      name: 'hog',
      min: 1024,
      max: 8192,
      curves: [ramp(600, 7600, 60, 25), day(2400), day(2400), steady(1500)],
      use: steady(2500),
      fill: 0.95,
    },
    { name: 'host spike', min: 1024, max: 5120, curves: times(4, () => day(3600)), use: spike, fill: 0.85 },
    {
      name: 'cache flood',
      min: 1024,
      max: 6144,
      curves: times(4, () => day(4200)),
      use: steady(2500),
      fill: 0.85,
      reads: [flood, null, flood, null],
    },
    {
      name: 'database',
      min: 1024,
      max: 6144,
      curves: [ramp(800, 5200, 30, 12), ramp(800, 5200, half, 12), day(2500)],
      use: steady(3000),
      fill: 0.95,
    },
    {
      name: 'anti-phase',
      min: 768,
      max: 7168,
      curves: [sine(3800, 2600, 240, 0), sine(3800, 2600, 240, Math.PI), steady(900)],
      use: steady(3000),
      fill: 0.95,
    },
    {
      name: 'overload',
      min: 1024,
      max: 6144,
      curves: times(5, () => day(6000)),
      use: steady(3000),
      fill: 1.25,
    },
  ];
  return sketches.map(sketch => scenario(sketch, seconds));
}
