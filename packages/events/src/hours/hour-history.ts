import { HISTORY_STEP_MS } from '@tocsin/domain';
import { BodyReader } from './body-reader.ts';
import { BodyWriter } from './body-writer.ts';
import { HOUR_MS } from './hour.ts';

export const STEPS = HOUR_MS / HISTORY_STEP_MS;

/** One series in one hour, step by step: NaN and 0 where there was no reading. */
export interface HourOfSeries {
  /** The values of the group-by's dimensions, in its order. */
  values: readonly string[];
  readings: Float64Array;
  samples: Float64Array;
}

/** What a query was worth at the steps of an hour. */
export interface HourHistory {
  series: readonly HourOfSeries[];
  /** Series past the bound. */
  dropped: number;
  /** Why it cannot be told; null: it can. */
  failure: { code: string; message: string } | null;
}

export const historyBytes = ({ series }: HourHistory): number =>
  series.reduce((bytes, { values }) => bytes + 400 + 16 * STEPS + 2 * values.join('').length, 200);

export function encodeHistory({ series, dropped, failure }: HourHistory): Buffer {
  const writer = new BodyWriter();
  writer.text(failure?.code ?? '');
  writer.text(failure?.message ?? '');
  writer.whole(dropped);
  writer.whole(series.length);
  for (const { values, readings, samples } of series) {
    writer.whole(values.length);
    for (const value of values) writer.text(value);
    for (const each of samples) writer.whole(each);
    for (const reading of readings) writer.double(reading);
  }
  return writer.compressed();
}

export function decodeHistory(body: Buffer): HourHistory {
  const reader = new BodyReader(body);
  const [code, message] = [reader.text(), reader.text()];
  const dropped = reader.whole();
  const series = Array.from({ length: reader.whole() }, (): HourOfSeries => {
    const values = Array.from({ length: reader.whole() }, () => reader.text());
    const samples = Float64Array.from({ length: STEPS }, () => reader.whole());
    return { values, samples, readings: Float64Array.from({ length: STEPS }, () => reader.double()) };
  });
  return { series, dropped, failure: code === '' ? null : { code, message } };
}
