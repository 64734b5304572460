import type { ByteViews } from './byte-views.ts';

/** Reads `count` integers that `writeIntegers` wrote at `offset` into `out`. */
export function readIntegers(views: ByteViews, offset: number, count: number, width: number, split: boolean, out: Float64Array): void {
  const { bytes } = views;
  if (width === 0) out.fill(0, 0, count);
  else if (width === 1) for (let i = 0; i < count; i++) out[i] = bytes[offset + i]!;
  else if (split) readBytePlanes(bytes, offset, count, width, out);
  else if (width < 4) readUint16(views, offset, count, width, out);
  else readUint32(views, offset, count, width, out);
}

function readUint16({ bytes, uint16 }: ByteViews, offset: number, count: number, width: number, out: Float64Array): void {
  const low = offset / 2;
  const high = offset + count * 2;
  if (width === 2) for (let i = 0; i < count; i++) out[i] = uint16[low + i]!;
  else for (let i = 0; i < count; i++) out[i] = uint16[low + i]! | (bytes[high + i]! << 16);
}

function readUint32({ bytes, uint16, uint32 }: ByteViews, offset: number, count: number, width: number, out: Float64Array): void {
  const low = offset / 4;
  const high = offset + count * 4;
  if (width === 4) for (let i = 0; i < count; i++) out[i] = uint32[low + i]!;
  else if (width === 5) for (let i = 0; i < count; i++) out[i] = uint32[low + i]! + bytes[high + i]! * 2 ** 32;
  else for (let i = 0; i < count; i++) out[i] = uint32[low + i]! + uint16[high / 2 + i]! * 2 ** 32;
}

function readBytePlanes(bytes: Uint8Array, offset: number, count: number, width: number, out: Float64Array): void {
  for (let i = 0; i < count; i++) out[i] = bytes[offset + i]!;
  for (let plane = 1; plane < width; plane++) {
    const unit = 2 ** (8 * plane);
    const start = offset + plane * count;
    for (let i = 0; i < count; i++) out[i]! += bytes[start + i]! * unit;
  }
}

/** Reads `count` floats that `writeFloats` wrote at `offset` into `out`. */
export function readFloats(
  { bytes, float32, float64 }: ByteViews,
  offset: number,
  count: number,
  width: number,
  split: boolean,
  out: Float64Array,
): void {
  if (!split) {
    if (width === 4) for (let i = 0, from = offset / 4; i < count; i++) out[i] = float32[from + i]!;
    else for (let i = 0, from = offset / 8; i < count; i++) out[i] = float64[from + i]!;
    return;
  }
  const whole = new Uint8Array(count * width);
  for (let plane = 0; plane < width; plane++) {
    for (let i = 0; i < count; i++) whole[i * width + plane] = bytes[offset + plane * count + i]!;
  }
  out.set(width === 4 ? new Float32Array(whole.buffer) : new Float64Array(whole.buffer));
}
