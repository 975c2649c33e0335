// Sharing an amount between ranges: everyone rises from its low end towards its high end together, as fast as its weight
// says, until the amount is used or the top is reached. Equal weights end at the same fraction of their ranges. Pure.

/** How far a range of weight 1 gets: `amount` = Σ range · min(1, way · weight). Infinity where all of it fits. */
function wayOf(ranges: Float64Array, weights: Float64Array, amount: number): number {
  const byWeight = new Map<number, number>();
  for (let index = 0; index < ranges.length; index++) {
    const weight = weights[index] ?? 1;
    byWeight.set(weight, (byWeight.get(weight) ?? 0) + (ranges[index] ?? 0));
  }
  const heaviestFirst = [...byWeight].sort(([a], [b]) => b - a);
  let full = 0;
  for (const [index, [weight, range]] of heaviestFirst.entries()) {
    // Summed anew for each: what is subtracted again leaves a rest that is not quite nothing.
    const pace = heaviestFirst.slice(index).reduce((sum, [heavy, width]) => sum + heavy * width, 0);
    if (pace <= 0) break;
    const way = Math.max(0, amount - full) / pace;
    if (way * weight < 1) return way;
    full += range;
  }
  return Number.POSITIVE_INFINITY;
}

/** The new levels, between `from` and `to`; where `to` is below `from` nothing moves. KiB. */
export function fill(
  from: Float64Array,
  to: Float64Array,
  weights: Float64Array,
  amount: number,
): Float64Array {
  const ranges = from.map((low, index) => Math.max(0, (to[index] ?? low) - low));
  const way = wayOf(ranges, weights, amount);
  return from.map((low, index) => {
    const share = way * (weights[index] ?? 1);
    const range = ranges[index] ?? 0;
    return share >= 1 ? low + range : low + range * share;
  });
}

export const total = (values: Float64Array): number => values.reduce((sum, value) => sum + value, 0);
