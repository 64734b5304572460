import type { ByteSink } from './byte-sink.ts';

/**
 * Writes `count` unsigned integers of `width` bytes. Widths 3, 5 and 6 are two planes (the low 2 or 4 bytes, then the rest), so that
 * each plane can be read in place; `split` makes every byte its own plane, which zstd compresses far better.
 */
export function writeIntegers(sink: ByteSink, values: Float64Array, count: number, width: number, split: boolean): number {
  if (width === 0) return sink.take(0, 1);
  if (split) return writeBytePlanes(sink, values, count, width);
  const low = width >= 4 ? 4 : width >= 2 ? 2 : 1;
  const start = sink.take(count * low, low);
  const lowPlane = integerView(sink.bytes, start, count, low);
  // A store keeps the value modulo the element's size.
  for (let i = 0; i < count; i++) lowPlane[i] = values[i]!;
  if (width === low) return start;
  const high = width - low;
  const highStart = sink.take(count * high, high);
  const highPlane = integerView(sink.bytes, highStart, count, high);
  const unit = 2 ** (8 * low);
  for (let i = 0; i < count; i++) highPlane[i] = Math.floor(values[i]! / unit);
  return start;
}

function writeBytePlanes(sink: ByteSink, values: Float64Array, count: number, width: number): number {
  const start = sink.take(count * width, 1);
  const bytes = sink.bytes;
  for (let i = 0; i < count; i++) {
    const value = values[i]!;
    const low = value >>> 0;
    const high = (value - low) / 2 ** 32;
    for (let plane = 0; plane < width; plane++) {
      bytes[start + plane * count + i] = plane < 4 ? low >>> (8 * plane) : high >>> (8 * (plane - 4));
    }
  }
  return start;
}

/** Writes floats of 4 or 8 bytes. */
export function writeFloats(sink: ByteSink, values: Float64Array, count: number, width: number, split: boolean): number {
  if (!split) {
    const start = sink.take(count * width, width);
    const target = width === 4 ? new Float32Array(sink.bytes.buffer, start, count) : new Float64Array(sink.bytes.buffer, start, count);
    target.set(values.subarray(0, count));
    return start;
  }
  const whole = width === 4 ? Float32Array.from(values.subarray(0, count)) : values.slice(0, count);
  const from = new Uint8Array(whole.buffer);
  const start = sink.take(count * width, 1);
  for (let i = 0; i < count; i++) {
    for (let plane = 0; plane < width; plane++) sink.bytes[start + plane * count + i] = from[i * width + plane]!;
  }
  return start;
}

type IntegerView = Uint8Array<ArrayBuffer> | Uint16Array<ArrayBuffer> | Uint32Array<ArrayBuffer>;

function integerView(bytes: Uint8Array<ArrayBuffer>, offset: number, count: number, width: number): IntegerView {
  const at = bytes.byteOffset + offset;
  if (width === 1) return new Uint8Array(bytes.buffer, at, count);
  return width === 2 ? new Uint16Array(bytes.buffer, at, count) : new Uint32Array(bytes.buffer, at, count);
}
