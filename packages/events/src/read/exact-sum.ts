/**
 * The exact sum of doubles, rounded once: the same for every order and every split of the same numbers.
 *
 * A usual number is cut into three limbs (multiples of 2^-8, 2^-40 and 2^-72), each of which adds up exactly in a double. What lies
 * outside goes to a list of non-overlapping parts (Shewchuk, "Adaptive Precision Floating-Point Arithmetic", 1997), which is exact too.
 */
export class ExactSum {
  /** Multiples of 2^-8, 2^-40 and 2^-72. */
  high = 0;
  middle = 0;
  low = 0;
  private parts: number[] | null = null;
  /** Parts of numbers so large that adding them could overflow, times 2^-100. */
  private largeParts: number[] | null = null;
  /** Numbers in the limbs since they were last moved to the parts. */
  private count = 0;

  add(values: Float64Array, from: number, to: number): void {
    for (let start = from; start < to; start += SLICE) this.addSlice(values, start, Math.min(to, start + SLICE));
  }

  /** Whether the three limbs are all of it. */
  get isLimbs(): boolean {
    return this.parts === null && this.largeParts === null;
  }

  /** Adds limbs that `count` numbers at most went into. */
  addLimbs(count: number, high: number, middle: number, low: number): void {
    if (this.count + count > MAX_COUNT) this.spill();
    this.count += count;
    this.high += high;
    this.middle += middle;
    this.low += low;
  }

  reset(): void {
    this.high = 0;
    this.middle = 0;
    this.low = 0;
    this.parts = null;
    this.largeParts = null;
    this.count = 0;
  }

  merge(other: ExactSum): void {
    this.addLimbs(other.count, other.high, other.middle, other.low);
    for (const part of other.parts ?? []) this.parts = grown(this.parts ?? [], part);
    for (const part of other.largeParts ?? []) this.largeParts = grown(this.largeParts ?? [], part);
  }

  /** All of it, to be made again by `fromNumbers`; never empty. */
  toNumbers(): number[] {
    const { count, high, middle, low, parts, largeParts } = this;
    return [count, high, middle, low, parts?.length ?? 0, ...(parts ?? []), ...(largeParts ?? [])];
  }

  static fromNumbers([count = 0, high = 0, middle = 0, low = 0, partCount = 0, ...parts]: readonly number[]): ExactSum {
    const sum = new ExactSum();
    sum.addLimbs(count, high, middle, low);
    if (partCount > 0) sum.parts = parts.slice(0, partCount);
    if (parts.length > partCount) sum.largeParts = parts.slice(partCount);
    return sum;
  }

  /** Clamped to the largest double, so that a comparison with a threshold stays right. */
  value(): number {
    if (this.parts === null && this.largeParts === null) {
      const upper = this.middle + this.low;
      const total = this.high + upper;
      const lostOfUpper = lost(this.middle, this.low, upper);
      const lostOfTotal = lost(this.high, upper, total);
      const rest = lostOfTotal + lostOfUpper;
      // Where this addition lost nothing, `total + rest` is the exact sum, and adding the two rounds it once.
      if (lost(lostOfTotal, lostOfUpper, rest) === 0) return total + rest;
    }
    const parts = [this.high, this.middle, this.low, ...(this.parts ?? [])].map((part) => exact(part, 0));
    for (const part of this.largeParts ?? []) parts.push(exact(part, LARGE_SHIFT));
    return rounded(parts);
  }

  private addSlice(values: Float64Array, from: number, to: number): void {
    if (this.count + to - from > MAX_COUNT) this.spill();
    this.count += to - from;
    let { high, middle, low } = this;
    for (let i = from; i < to; i++) {
      const value = values[i]!;
      if (!(value < USUAL && value > -USUAL)) {
        this.addUnusual(value);
        continue;
      }
      const first = value + HIGH - HIGH;
      const rest = value - first;
      const second = rest + MIDDLE - MIDDLE;
      const restOfRest = rest - second;
      const third = restOfRest + LOW - LOW;
      high += first;
      middle += second;
      low += third;
      if (third !== restOfRest) this.parts = grown(this.parts ?? [], restOfRest - third);
    }
    this.high = high;
    this.middle = middle;
    this.low = low;
  }

  private spill(): void {
    for (const limb of [this.high, this.middle, this.low]) if (limb !== 0) this.parts = grown(this.parts ?? [], limb);
    this.high = 0;
    this.middle = 0;
    this.low = 0;
    this.count = 0;
  }

  private addUnusual(value: number): void {
    if (Math.abs(value) < LARGE) this.parts = grown(this.parts ?? [], value);
    else this.largeParts = grown(this.largeParts ?? [], value * 2 ** -LARGE_SHIFT);
  }
}

const SLICE = 2 ** 16;
/** A usual number has 35 bits above 2^-8 and 31 in each limb below: so many of them stay exact. */
const MAX_COUNT = 2 ** 17;
const USUAL = 2 ** 27;
const LARGE = 2 ** 900;
const LARGE_SHIFT = 100;
/** Adding and subtracting 1.5 × 2^(52 + k) rounds to a multiple of 2^k. */
const HIGH = 1.5 * 2 ** (52 - 8);
const MIDDLE = 1.5 * 2 ** (52 - 40);
const LOW = 1.5 * 2 ** (52 - 72);

/** What the sum of two numbers lost to rounding, exactly (Knuth). */
function lost(a: number, b: number, sum: number): number {
  const ofB = sum - a;
  return a - (sum - ofB) + (b - ofB);
}

/** `parts` with `value` added: non-overlapping, smallest first, their sum exact. */
function grown(parts: number[], value: number): number[] {
  let count = 0;
  let sum = value;
  for (const part of parts) {
    const [large, small] = Math.abs(sum) < Math.abs(part) ? [part, sum] : [sum, part];
    sum = large + small;
    const lost = small - (sum - large);
    if (lost !== 0) parts[count++] = lost;
  }
  parts[count++] = sum;
  parts.length = count;
  return parts;
}

interface Exact {
  mantissa: bigint;
  exponent: number;
}

const view = new DataView(new ArrayBuffer(8));

/** `value` × 2^shift as an integer times a power of two. */
function exact(value: number, shift: number): Exact {
  view.setFloat64(0, value);
  const bits = view.getBigUint64(0);
  const biased = Number((bits >> 52n) & 0x7ffn);
  const fraction = bits & 0xfffffffffffffn;
  const mantissa = biased === 0 ? fraction : fraction | 0x10000000000000n;
  return { mantissa: value < 0 ? -mantissa : mantissa, exponent: Math.max(biased, 1) - 1075 + shift };
}

function rounded(parts: readonly Exact[]): number {
  const present = parts.filter(({ mantissa }) => mantissa !== 0n);
  if (present.length === 0) return 0;
  let exponent = Math.min(...present.map((part) => part.exponent));
  let total = present.reduce((sum, part) => sum + (part.mantissa << BigInt(part.exponent - exponent)), 0n);
  const excess = total.toString(16).length * 4 - 900;
  if (excess > 0) {
    // Far more digits than a double has: keep the upper ones, and whether anything was below them.
    const isInexact = BigInt.asUintN(excess, total) !== 0n;
    total = (total >> BigInt(excess)) | (isInexact ? 1n : 0n);
    exponent += excess;
  }
  const value = Number(total) * 2 ** exponent;
  return Math.max(-Number.MAX_VALUE, Math.min(Number.MAX_VALUE, value));
}
