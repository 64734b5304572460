/** Of sorted numbers, with linear interpolation between neighbours; NaN of none. */
export function quantileSorted(sorted: ArrayLike<number>, share: number): number {
  if (sorted.length === 0) return Number.NaN;
  const place = share * (sorted.length - 1);
  const low = Math.floor(place);
  const [below, above] = [sorted[low]!, sorted[Math.min(low + 1, sorted.length - 1)]!];
  return below + (above - below) * (place - low);
}

export const median = (values: Iterable<number>): number => quantileSorted(Float64Array.from(values).sort(), 0.5);

export function mean(values: readonly number[]): number {
  let total = 0;
  for (const value of values) total += value;
  return values.length === 0 ? Number.NaN : total / values.length;
}

/** Makes the median absolute deviation of normally distributed values their standard deviation. */
const MAD_TO_SIGMA = 1.4826;
/** The same for the mean absolute deviation. */
const MEAN_AD_TO_SIGMA = 1.2533;

/**
 * How widely values spread around a centre, as a standard deviation that outliers hardly move: from the median absolute deviation, and, where more
 * than half of the values are the same, from the mean absolute deviation (Iglewicz and Hoaglin, “How to Detect and Handle Outliers”, 1993).
 * 0: all are the same.
 */
export function robustSpread(values: readonly number[], centre: number): number {
  const distances = values.map((value) => Math.abs(value - centre));
  const spread = MAD_TO_SIGMA * median(distances);
  return spread > 0 ? spread : MEAN_AD_TO_SIGMA * mean(distances);
}

/** The quantile of the normal distribution for an interval of 95 %. */
const Z_95 = 1.959963984540054;

/**
 * The ends of the 95 % interval of a share of which `hits` of `tries` are known (Wilson, “Probable Inference, the Law of Succession, and
 * Statistical Inference”, 1927). Null without tries. More hits than tries count as all of them.
 */
export function wilson95(hits: number, tries: number): { low: number; high: number } | null {
  if (!(tries > 0)) return null;
  const share = Math.min(1, Math.max(0, hits / tries));
  const square = Z_95 * Z_95;
  const centre = share + square / (2 * tries);
  const margin = Z_95 * Math.sqrt((share * (1 - share)) / tries + square / (4 * tries * tries));
  const scale = 1 + square / tries;
  return { low: Math.max(0, (centre - margin) / scale), high: Math.min(1, (centre + margin) / scale) };
}
