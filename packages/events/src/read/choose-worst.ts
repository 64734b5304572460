import type { SeriesChoice } from '@tocsin/domain';

/**
 * The places of the `atMost` worst values; those of too few samples, and NaN for no value at all, come after all others.
 * @param order of equally bad ones, as for `sort`
 */
export function chooseWorst(
  values: Float64Array,
  samples: Float64Array,
  choice: Omit<SeriesChoice, 'of'>,
  atMost: number,
  order: (a: number, b: number) => number,
): number[] {
  const badness = values.map((value, place) => badnessOf(value, samples[place]!, choice));
  // Sorting numbers is many times faster than sorting by a function: that is left for the few that are equal.
  const limit = badness.toSorted()[Math.max(0, badness.length - atMost)] ?? -Infinity;
  const chosen: number[] = [];
  const atLimit: number[] = [];
  for (let place = 0; place < badness.length; place++) {
    if (badness[place]! > limit) chosen.push(place);
    else if (badness[place] === limit) atLimit.push(place);
  }
  return chosen.concat(atLimit.sort(order).slice(0, atMost - chosen.length));
}

function badnessOf(value: number, samples: number, { worst, threshold, minSamples }: Omit<SeriesChoice, 'of'>): number {
  if (Number.isNaN(value) || (minSamples > 1 && samples < minSamples)) return -Infinity;
  switch (worst) {
    case 'high':
      return value;
    case 'low':
      return -value;
    case 'near':
      return -Math.abs(value - threshold);
    case 'far':
      return Math.abs(value - threshold);
  }
}
