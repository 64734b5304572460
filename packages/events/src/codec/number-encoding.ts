import { KIND_FLOAT32, KIND_FLOAT64, KIND_INTEGER, POWERS_OF_TEN, widthOf } from './layout.ts';

/** Value = (base + stored) / 10^scale for integers; stored as is for floats. `present` counts the values that are not null. */
export interface NumberEncoding {
  kind: number;
  width: number;
  scale: number;
  base: number;
  present: number;
}

// v × 10^scale is off by at most a quarter below this, so rounding it finds the integer whose quotient is v.
const MAX_SCALED = 2 ** 50;

/** The narrowest encoding that gives back every value bit for bit. NaN stands for null. */
export function narrowestEncoding(values: Float64Array, rows: number): NumberEncoding {
  let present = 0;
  let min = Infinity;
  let max = -Infinity;
  let scale = 0;
  let power = 1;
  let isDecimal = true;
  for (let row = 0; row < rows; row++) {
    const value = values[row]!;
    if (value !== value) continue;
    present++;
    if (value < min) min = value;
    if (value > max) max = value;
    if (!isDecimal) continue;
    if (value === 0) {
      if (1 / value < 0) isDecimal = false;
      continue;
    }
    while (Math.round(value * power) / power !== value) {
      if (scale === POWERS_OF_TEN.length - 1) {
        isDecimal = false;
        break;
      }
      power = POWERS_OF_TEN[++scale]!;
    }
  }
  if (present === 0) return { kind: KIND_INTEGER, width: 0, scale: 0, base: 0, present };
  if (isDecimal && Math.max(Math.abs(min), Math.abs(max)) * power <= MAX_SCALED) {
    const base = Math.round(min * power);
    const width = widthOf(Math.round(max * power) - base);
    if (width <= 4 || (width < 8 && !fitsFloat32(values, rows))) return { kind: KIND_INTEGER, width, scale, base, present };
  }
  return fitsFloat32(values, rows)
    ? { kind: KIND_FLOAT32, width: 4, scale: 0, base: 0, present }
    : { kind: KIND_FLOAT64, width: 8, scale: 0, base: 0, present };
}

function fitsFloat32(values: Float64Array, rows: number): boolean {
  for (let row = 0; row < rows; row++) {
    const value = values[row]!;
    if (value === value && Math.fround(value) !== value) return false;
  }
  return true;
}
