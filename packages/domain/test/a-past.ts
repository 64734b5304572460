import { HISTORY_STEP_MS, type SeriesHistory } from '../src/history.ts';
import type { Labels } from '../src/reading.ts';
import { HOUR } from './a-rule.ts';

const STEPS_AN_HOUR = HOUR / HISTORY_STEP_MS;

/** A series of the past of so many hours: `valueAt` is asked for each step, by its hour and minute of that hour; null is no reading. */
export function past(hours: number, valueAt: (hour: number, minute: number) => number | null, labels: Labels = {}): SeriesHistory {
  const steps = hours * STEPS_AN_HOUR;
  const values = new Float64Array(steps).fill(Number.NaN);
  const samples = new Float64Array(steps);
  for (let step = 0; step < steps; step++) {
    const value = valueAt(Math.floor(step / STEPS_AN_HOUR), (step % STEPS_AN_HOUR) * 5);
    if (value === null) continue;
    values[step] = value;
    samples[step] = 20;
  }
  return { labels, values, samples };
}

/** A number between −1 and 1 that is the same for the same place. */
export function noise(place: number): number {
  const mixed = Math.imul(place ^ (place >>> 15), 0x2c1b3c6d) ^ Math.imul(place + 0x9e3779b9, 0x297a2d39);
  return (((mixed ^ (mixed >>> 13)) >>> 0) / 2 ** 32) * 2 - 1;
}
