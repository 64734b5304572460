/**
 * How many values fell into each of classes that grow geometrically, so that a quantile is known within a relative error however the values are
 * divided and joined. The classes are those of DDSketch (Masson, Rim, Lee: "DDSketch: a fast and fully-mergeable quantile sketch with relative-error
 * guarantees", PVLDB 12, 2019); quantiles are linear between two ranks, as they are over events.
 */
export interface Sketch {
  /** Ascending; the order of the values they stand for. Negative: values below zero. 0: zero. */
  classes: Int32Array;
  /** How many values, class by class. */
  counts: Float64Array;
  min: number;
  max: number;
}

/** A little better than 1 %, so that a logarithm rounded the wrong way does not break the promise. */
const ACCURACY = 0.0099;
const GAMMA = (1 + ACCURACY) / (1 - ACCURACY);
const LOG_GAMMA = Math.log(GAMMA);
/** The class of the smallest positive double is 1. */
const OFFSET = 1 - Math.ceil(Math.log(Number.MIN_VALUE) / LOG_GAMMA);
const CLASS_MAX = Math.ceil(Math.log(Number.MAX_VALUE) / LOG_GAMMA) + OFFSET + 1;
/** More occur only where values differ by 16 orders of magnitude; those nearest to zero are then counted as zero. */
const CLASSES_MAX = 4_096;

/** Counts of one sketch in the making, by class from −CLASS_MAX on; zero in between. */
const room = new Float64Array(2 * CLASS_MAX + 1);

/** All of these values in one sketch. */
export function sketchOf(sketches: readonly Sketch[], values: Float64Array, valueCount: number): Sketch {
  const [only] = sketches;
  if (only !== undefined && sketches.length === 1 && valueCount === 0) return only;
  let [lowest, highest, min, max] = [Infinity, -Infinity, Infinity, -Infinity];
  const add = (place: number, count: number): void => {
    room[place + CLASS_MAX]! += count;
    if (place < lowest) lowest = place;
    if (place > highest) highest = place;
  };
  for (const sketch of sketches) {
    const { classes, counts } = sketch;
    for (let i = 0; i < classes.length; i++) add(classes[i]!, counts[i]!);
    min = Math.min(min, sketch.min);
    max = Math.max(max, sketch.max);
  }
  for (let i = 0; i < valueCount; i++) {
    const value = values[i]!;
    add(classOf(value), 1);
    if (value < min) min = value;
    if (value > max) max = value;
  }
  return { ...taken(lowest, highest), min, max };
}

/** The quantile of what is in the sketch, within 1 % of the values it lies between. Something must be in it; of some classes there may be none. `total`: how many there are. */
export function sketchQuantile({ classes, counts, min, max }: Sketch, fraction: number, total = countOf(counts)): number {
  const rank = fraction * (total - 1);
  const below = Math.floor(rank);
  let place = 0;
  let seen = counts[0]!;
  while (seen <= below) seen += counts[++place]!;
  const lower = within(valueOf(classes[place]!), min, max);
  if (rank === below) return lower;
  while (seen <= below + 1) seen += counts[++place]!;
  const upper = within(valueOf(classes[place]!), min, max);
  const share = rank - below;
  return lower * (1 - share) + upper * share;
}

const countOf = (counts: Float64Array): number => counts.reduce((sum, count) => sum + count, 0);

/** What keeping it costs, in bytes. */
export const sketchBytes = ({ classes }: Sketch): number => 250 + 12 * classes.length;

export function classOf(value: number): number {
  if (value === 0) return 0;
  const place = Math.ceil(Math.log(Math.abs(value)) / LOG_GAMMA) + OFFSET;
  return value > 0 ? place : -place;
}

/** The value that is equally far, relatively, from both ends of its class. */
function valueOf(place: number): number {
  if (place === 0) return 0;
  const value = Math.exp((Math.abs(place) - OFFSET) * LOG_GAMMA) * (2 / (GAMMA + 1));
  return place > 0 ? value : -value;
}

const within = (value: number, min: number, max: number): number => Math.min(max, Math.max(min, value));

/** Takes the counts out of the room, which is empty again. */
function taken(lowest: number, highest: number): Pick<Sketch, 'classes' | 'counts'> {
  const places: number[] = [];
  for (let place = lowest; place <= highest; place++) if (room[place + CLASS_MAX] !== 0) places.push(place);
  const nearest = places.length > CLASSES_MAX ? places.map(Math.abs).sort((a, b) => a - b)[places.length - CLASSES_MAX]! : 0;
  const kept = places.filter((place) => Math.abs(place) > nearest);
  const zeros = places.filter((place) => Math.abs(place) <= nearest).reduce((sum, place) => sum + room[place + CLASS_MAX]!, 0);
  if (zeros > 0) kept.splice(kept.filter((place) => place < 0).length, 0, 0);
  const counts = Float64Array.from(kept, (place) => (place === 0 ? zeros : room[place + CLASS_MAX]!));
  if (places.length > 0) room.fill(0, lowest + CLASS_MAX, highest + CLASS_MAX + 1);
  return { classes: Int32Array.from(kept), counts };
}
