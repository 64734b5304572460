import { HOUR, MINUTE } from './a-rule.ts';

/** How far apart the readings lie. */
export const STEP_MS = 5 * MINUTE;
const STEPS_A_DAY = (24 * HOUR) / STEP_MS;
const STEPS_AN_HOUR = HOUR / STEP_MS;
export const PAST_DAYS = 7;
/** Where the labelled day begins: a week after the epoch. */
export const DAY_BEGINS_MS = PAST_DAYS * 24 * HOUR;

export const SUBJECTS = ['latency', 'traffic', 'errors', 'disk'] as const;
export type Subject = (typeof SUBJECTS)[number];

/** One day of one series with the week before it, and whether something was wrong in it. */
export interface LabelledDay {
  subject: Subject;
  /** What happened: `step`, `season` … */
  kind: string;
  /** Entry `i` is the window that ends at `(i + 1) × STEP_MS`; the last day of them is the labelled one. */
  values: number[];
  /** Null: nothing was wrong. */
  incident: { fromMs: number; toMs: number; isCritical: boolean } | null;
}

/** The same numbers between 0 and 1 for the same seed (Tommy Ettinger’s mulberry32). */
function dice(seed: number): () => number {
  let state = seed;
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  };
}

interface Dice {
  between: (low: number, high: number) => number;
  whole: (low: number, high: number) => number;
  /** Standard normal (Box and Muller, 1958). */
  normal: () => number;
}

function diceOf(seed: number): Dice {
  const next = dice(seed);
  const between = (low: number, high: number): number => low + next() * (high - low);
  return {
    between,
    whole: (low, high) => Math.floor(between(low, high + 1)),
    normal: () => Math.sqrt(-2 * Math.log(1 - next())) * Math.cos(2 * Math.PI * next()),
  };
}

interface Shape {
  base: number;
  /** How much of the base the day's wave is. */
  season: number;
  /** Of each reading, and of a day as a whole, as a share. */
  noise: number;
  dayNoise: number;
}

/** Eight days without anything wrong. */
function usual({ base, season, noise, dayNoise }: Shape, { normal }: Dice): number[] {
  return Array.from({ length: PAST_DAYS + 1 }, () => Math.exp(dayNoise * Math.max(-2, Math.min(2, normal())))).flatMap((day) =>
    Array.from({ length: STEPS_A_DAY }, (_, step) => {
      const wave = 1 + season * Math.sin((2 * Math.PI * (step / STEPS_AN_HOUR - 8)) / 24);
      return base * wave * day * Math.exp(noise * normal());
    }),
  );
}

/** Multiplies readings of the labelled day from `from` on; `by` is asked how much, by its place in `length`. */
function change(values: number[], from: number, length: number, by: (place: number) => number): void {
  for (let place = 0; place < length; place++) values[PAST_DAYS * STEPS_A_DAY + from + place]! *= by(place);
}

const during = (from: number, length: number, isCritical: boolean): LabelledDay['incident'] => ({
  fromMs: DAY_BEGINS_MS + from * STEP_MS,
  toMs: DAY_BEGINS_MS + (from + length) * STEP_MS,
  isCritical,
});

/** A quarter of the incidents is critical: twice as far. */
const isCriticalOf = (index: number): boolean => index % 4 === 0;

/** Rises by `far` (or `critical`) times: at once, slowly, or in spikes. */
function rise(
  kind: string,
  index: number,
  values: number[],
  dice: Dice,
  far: [number, number],
  critical: [number, number],
): LabelledDay['incident'] {
  const isCritical = isCriticalOf(index);
  const factor = dice.between(...(isCritical ? critical : far));
  const from = dice.whole(2 * STEPS_AN_HOUR, 18 * STEPS_AN_HOUR);
  const length = dice.whole(STEPS_AN_HOUR * 1.5, STEPS_AN_HOUR * 5);
  change(values, from, length, (place) => {
    if (kind === 'step') return factor;
    if (kind === 'ramp') return 1 + (factor - 1) * Math.min(1, (1.5 * place) / length);
    return place % 7 === 6 || dice.between(0, 1) < 0.1 ? 1 : factor;
  });
  return during(from, length, isCritical);
}

/** What looks like trouble and is none. */
function harmless(kind: string, values: number[], dice: Dice, surge: number, blip: number): void {
  const from = dice.whole(2 * STEPS_AN_HOUR, 20 * STEPS_AN_HOUR);
  if (kind === 'surge') change(values, from, dice.whole(STEPS_AN_HOUR, 3 * STEPS_AN_HOUR), () => surge);
  // A deploy: two readings of it.
  if (kind === 'deploy') for (const at of [from, from + STEPS_AN_HOUR]) change(values, at, 2, () => blip);
}

function latency(kind: string, index: number, dice: Dice): LabelledDay {
  const noise = kind === 'noise' ? 0.25 : 0.12;
  const values = usual({ base: dice.between(200, 400), season: kind === 'season' ? 0.5 : 0.25, noise, dayNoise: 0.08 }, dice);
  const isIncident = ['step', 'ramp', 'burst'].includes(kind);
  const incident = isIncident ? rise(kind, index, values, dice, [3, 4.5], [7, 10]) : null;
  harmless(kind, values, dice, 1.35, 4);
  return { subject: 'latency', kind, values, incident };
}

function errors(kind: string, index: number, dice: Dice): LabelledDay {
  const values = usual({ base: dice.between(0.5, 1.2), season: 0.3, noise: kind === 'noise' ? 0.4 : 0.2, dayNoise: 0.1 }, dice);
  const isIncident = ['step', 'ramp', 'burst'].includes(kind);
  const incident = isIncident ? rise(kind, index, values, dice, [15, 20], [60, 80]) : null;
  harmless(kind, values, dice, 1.8, 20);
  return { subject: 'errors', kind, values: values.map((value) => Math.min(100, value)), incident };
}

function traffic(kind: string, index: number, dice: Dice): LabelledDay {
  const shape = { base: dice.between(300, 900), season: 0.5, noise: kind === 'noise' ? 0.15 : 0.07, dayNoise: 0.06 };
  const values = usual(shape, dice);
  const whole = (): number[] => values.map(Math.round);
  if (kind === 'drop') {
    const isCritical = isCriticalOf(index);
    const left = isCritical ? dice.between(0, 0.05) : dice.between(0.15, 0.25);
    const from = dice.whole(STEPS_AN_HOUR, 20 * STEPS_AN_HOUR);
    const length = dice.whole(STEPS_AN_HOUR, 3 * STEPS_AN_HOUR);
    change(values, from, length, () => left);
    return { subject: 'traffic', kind, values: whole(), incident: during(from, length, isCritical) };
  }
  harmless(kind, values, dice, 1.8, 0.2);
  return { subject: 'traffic', kind, values: whole(), incident: null };
}

/** A share of a disk in percent, which leaks until it is nearly full, or grows and is tidied up again. */
function disk(kind: string, index: number, dice: Dice): LabelledDay {
  const base = dice.between(40, 60);
  const period = dice.whole(5, 7) * STEPS_AN_HOUR;
  const grown = dice.between(6, 10);
  const values = Array.from({ length: (PAST_DAYS + 1) * STEPS_A_DAY }, (_, step) => {
    const saw = kind === 'sawtooth' ? (grown * (step % period)) / period : 0;
    const batch = kind === 'batch' && step % STEPS_A_DAY < 2 * STEPS_AN_HOUR ? 8 : 0;
    const wave = kind === 'season' ? 5 * Math.sin((2 * Math.PI * step) / STEPS_A_DAY) : 0;
    return base + saw + batch + wave + (kind === 'noise' ? 1 : 0.3) * dice.normal();
  });
  if (kind !== 'leak') return { subject: 'disk', kind, values, incident: null };
  const isCritical = isCriticalOf(index);
  const from = dice.whole(2 * STEPS_AN_HOUR, 6 * STEPS_AN_HOUR);
  const length = STEPS_A_DAY - from;
  const end = isCritical ? dice.between(97, 99) : dice.between(92, 94);
  for (let place = 0; place < length; place++) values[PAST_DAYS * STEPS_A_DAY + from + place]! += ((end - base) * place) / length;
  return { subject: 'disk', kind, values, incident: during(from, length, isCritical) };
}

/** How many days of each kind there are, for each subject. */
const CAST: Readonly<Record<Subject, Readonly<Record<string, number>>>> = {
  latency: { step: 12, ramp: 12, burst: 12, season: 9, noise: 9, surge: 9, deploy: 9 },
  errors: { step: 9, ramp: 8, burst: 8, noise: 6, surge: 6, deploy: 6 },
  traffic: { drop: 26, season: 6, noise: 6, surge: 7, deploy: 7 },
  disk: { leak: 20, noise: 5, sawtooth: 5, batch: 5, season: 5 },
};

const MAKE = { latency, traffic, errors, disk };

/** Some 200 days, always the same. */
export function labelledDays(): LabelledDay[] {
  let seed = 1;
  return SUBJECTS.flatMap((subject) =>
    Object.entries(CAST[subject]).flatMap(([kind, count]) =>
      Array.from({ length: count }, (_, index) => MAKE[subject](kind, index, diceOf(seed++ * 7_919))),
    ),
  );
}
