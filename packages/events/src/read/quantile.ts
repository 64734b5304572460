/**
 * The quantile as PostgreSQL's `percentile_cont` defines it: linear between the two nearest ranks. Exact. Reorders `values[0, count)`.
 * `count` must not be 0.
 */
export function quantile(values: Float64Array, count: number, fraction: number): number {
  const rank = fraction * (count - 1);
  const below = Math.floor(rank);
  const lower = select(values, count, below);
  if (rank === below) return lower;
  let upper = Infinity;
  for (let i = below + 1; i < count; i++) if (values[i]! < upper) upper = values[i]!;
  return between(lower, upper, rank - below);
}

/** What lies at that share of the way. */
export function between(lower: number, upper: number, share: number): number {
  // Two huge numbers of opposite sign are further apart than a double can say.
  const distance = upper - lower;
  return Number.isFinite(distance) ? lower + distance * share : lower * (1 - share) + upper * share;
}

/** The value of that rank, with all smaller ones before it and all larger ones after it (Hoare's selection). */
function select(values: Float64Array, count: number, rank: number): number {
  let left = 0;
  let right = count - 1;
  // Numbers come from outside: an order made to defeat the pivots must not cost more than a sort.
  let patience = 4 * Math.ceil(Math.log2(count + 1));
  while (left < right) {
    if (patience-- === 0) {
      values.subarray(left, right + 1).sort();
      break;
    }
    const pivot =
      right - left < WORTH_SAMPLING
        ? median(values[left]!, values[(left + right) >>> 1]!, values[right]!)
        : nearRank(values, left, right, rank);
    let i = left;
    let j = right;
    while (i <= j) {
      while (values[i]! < pivot) i++;
      while (values[j]! > pivot) j--;
      if (i <= j) {
        const swapped = values[i]!;
        values[i++] = values[j]!;
        values[j--] = swapped;
      }
    }
    if (rank <= j) right = j;
    else if (rank >= i) left = i;
    else break;
  }
  return values[rank]!;
}

const WORTH_SAMPLING = 128;
const SAMPLES = 31;
/** Steps of the sample by which a pivot is moved away from the rank, so that the rank is rarely on its larger side. */
const MARGIN = 2;
const sample = new Float64Array(SAMPLES);

/** A value a little beyond the rank, seen from the nearer end: what is left to search is small, and most comparisons go one way. */
function nearRank(values: Float64Array, left: number, right: number, rank: number): number {
  for (let i = 0; i < SAMPLES; i++) {
    const value = values[left + Math.floor(((right - left) * i) / (SAMPLES - 1))]!;
    let place = i;
    for (; place > 0 && sample[place - 1]! > value; place--) sample[place] = sample[place - 1]!;
    sample[place] = value;
  }
  const at = ((rank - left) / (right - left)) * (SAMPLES - 1);
  const place = at > SAMPLES / 2 ? Math.floor(at) - MARGIN : Math.ceil(at) + MARGIN;
  return sample[place]!;
}

function median(a: number, b: number, c: number): number {
  if (a < b) return b < c ? b : a < c ? c : a;
  return a < c ? a : b < c ? c : b;
}
