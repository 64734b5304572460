import { ExactSum } from '../read/exact-sum.ts';
import { BodyReader } from './body-reader.ts';
import { BodyWriter } from './body-writer.ts';
import type { HourSums, SeriesSums } from './hour-sums.ts';
import type { Sketch } from './sketch.ts';

/** Sums of an hour as they are stored. What the layout means changes with `BODY_VERSION` of the key. */
export function encodeSums({ series, dropped, hasTooMany }: HourSums): Buffer {
  const writer = new BodyWriter();
  writer.whole(hasTooMany ? 1 : 0);
  writer.whole(dropped);
  writer.whole(series.length);
  for (const { values, samples, sum, sketch } of series) {
    writer.whole(values.length);
    for (const value of values) writer.text(value);
    writer.whole(samples);
    const numbers = sum?.toNumbers() ?? [];
    writer.whole(numbers.length);
    for (const number of numbers) writer.double(number);
    writer.whole(sketch === null ? 0 : 1);
    if (sketch !== null) writeSketch(writer, sketch);
  }
  return writer.compressed();
}

export function decodeSums(body: Buffer): HourSums {
  const reader = new BodyReader(body);
  const hasTooMany = reader.whole() === 1;
  const dropped = reader.whole();
  const series = listOf(reader, (): SeriesSums => {
    const values = listOf(reader, () => reader.text());
    const samples = reader.whole();
    const numbers = listOf(reader, () => reader.double());
    const sketch = reader.whole() === 0 ? null : readSketch(reader);
    return { key: JSON.stringify(values), values, samples, sum: numbers.length === 0 ? null : ExactSum.fromNumbers(numbers), sketch };
  });
  return { series, dropped, hasTooMany };
}

/** Classes ascend, so that their distances are small. */
function writeSketch(writer: BodyWriter, { classes, counts, min, max }: Sketch): void {
  writer.double(min);
  writer.double(max);
  writer.whole(classes.length);
  let before = FIRST_CLASS;
  for (const place of classes) {
    writer.whole(place - before);
    before = place;
  }
  for (const count of counts) writer.whole(count);
}

function readSketch(reader: BodyReader): Sketch {
  const [min, max] = [reader.double(), reader.double()];
  const classes = new Int32Array(reader.whole());
  let before = FIRST_CLASS;
  for (let i = 0; i < classes.length; i++) classes[i] = before += reader.whole();
  return { classes, counts: Float64Array.from(classes, () => reader.whole()), min, max };
}

/** Below any. */
const FIRST_CLASS = -(2 ** 20);

function listOf<T>(reader: BodyReader, read: () => T): T[] {
  return Array.from({ length: reader.whole() }, read);
}
