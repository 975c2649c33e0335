// Shares an amount between ranges. Pure. All rise together from their low ends to their high ends, each as
// fast as its weight says, until the amount is used up. Equal weights end at the same fraction of a range.

/** Indices, lightest first. Computed once where several amounts are shared among the same VMs. */
export const lightestFirst = (weights: Float64Array): Uint32Array =>
  Uint32Array.from(weights.keys()).sort((a, b) => (weights[a] ?? 1) - (weights[b] ?? 1));

/** How far a range of weight 1 gets: `amount` = Σ range · min(1, way · weight). Infinity where all fits. */
function wayOf(ranges: Float64Array, weights: Float64Array, order: Uint32Array, amount: number): number {
  const weightAt = (place: number): number => weights[order[place] ?? 0] ?? 1;
  const rangeAt = (place: number): number => ranges[order[place] ?? 0] ?? 0;
  // Prefix sums of weight · range. Subtracting from a total would leave rounding errors where 0 is due.
  const paces = new Float64Array(order.length);
  for (let place = 0, pace = 0; place < order.length; place++)
    paces[place] = pace += weightAt(place) * rangeAt(place);
  let full = 0;
  for (let place = order.length - 1; place >= 0; ) {
    const [weight, pace] = [weightAt(place), paces[place] ?? 0];
    if (pace <= 0) break;
    const way = Math.max(0, amount - full) / pace;
    if (way * weight < 1) return way;
    for (; place >= 0 && weightAt(place) === weight; place--) full += rangeAt(place);
  }
  return Number.POSITIVE_INFINITY;
}

/** The new levels, between `from` and `to`, in KiB; where `to` is below `from` the level stays at `from`. */
export function fill(
  from: Float64Array,
  to: Float64Array,
  weights: Float64Array,
  amount: number,
  order = lightestFirst(weights),
): Float64Array {
  const ranges = from.map((low, index) => Math.max(0, (to[index] ?? low) - low));
  const way = wayOf(ranges, weights, order, amount);
  return from.map((low, index) => {
    const share = way * (weights[index] ?? 1);
    const range = ranges[index] ?? 0;
    return share >= 1 ? low + range : low + range * share;
  });
}

export const total = (values: Float64Array): number => values.reduce((sum, value) => sum + value, 0);
