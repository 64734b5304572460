import fc from 'fast-check';
import { expect, test } from 'vitest';
import type { TelemetryEvent } from '../event.ts';
import { decodeSegment, encodeSegment } from './codec.ts';

const text = fc.oneof(
  fc.constantFrom('', '__proto__', 'constructor', 'model', 'gpt-4o', 'Grüße', '😀'),
  fc.string({ unit: 'grapheme', maxLength: 300 }),
);
const number = fc.oneof(
  fc.double({ noNaN: true, noDefaultInfinity: true }),
  fc.constantFrom(0, -0, 5e-324, -5e-324, 2 ** 53 + 2, Number.MAX_VALUE, Number.MAX_SAFE_INTEGER, 0.1 + 0.2, 1e-9, 1e-10, 2 ** 50 + 0.25),
  fc.integer(),
  fc.tuple(fc.integer(), fc.integer({ min: 0, max: 12 })).map(([whole, digits]) => Number(`${whole}e-${digits}`)),
  fc.float({ noNaN: true, noDefaultInfinity: true }),
);
const record = <T>(value: fc.Arbitrary<T>) =>
  fc.array(fc.tuple(text, value), { maxLength: 8 }).map((entries) => Object.fromEntries(entries) as Record<string, T>);
const event = (tsMs: fc.Arbitrary<number>): fc.Arbitrary<TelemetryEvent> =>
  fc.record({ tsMs, name: text, dims: record(text), measures: record(number) }, { noNullPrototype: true });
/** Enough of them to be compressed. */
const repeated = <T>(some: T[], count: number): T[] =>
  some.length === 0 ? [] : Array.from({ length: count }, (_, i) => some[i % some.length]!);
const minute = fc.integer({ min: 1_800_000_000_000, max: 1_800_000_059_999 });
const anyTime = fc.integer({ min: -8_640_000_000_000_000, max: 8_640_000_000_000_000 });

test.for([
  { compact: false, times: 'one minute', tsMs: minute },
  { compact: true, times: 'one minute', tsMs: minute },
  { compact: false, times: 'any time', tsMs: anyTime },
  { compact: true, times: 'any time', tsMs: anyTime },
])('decoding gives back every event, bit for bit (compact: $compact, $times)', ({ compact, tsMs }) => {
  fc.assert(
    fc.property(fc.array(event(tsMs), { maxLength: 40 }), (some) => {
      const events = compact ? repeated(some, 1_000) : some;
      expect(decodeSegment(encodeSegment(events, { compact })).events()).toStrictEqual(events);
    }),
    { numRuns: compact ? 60 : 400 },
  );
});

test.for([0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 12])('columns of numbers with %i digits after the point come back exactly', (digits) => {
  fc.assert(
    fc.property(
      fc.array(fc.maxSafeInteger(), { minLength: 1, maxLength: 200 }),
      fc.integer({ min: 0, max: 52 }),
      fc.boolean(),
      (whole, shift, compact) => {
        const numbers = compact ? repeated(whole, 1_000) : whole;
        const events = numbers.map((n, row) => ({
          tsMs: row,
          name: 'n',
          dims: {},
          measures: { m: Number(`${Math.trunc(n / 2 ** shift)}e-${digits}`) },
        }));
        expect(decodeSegment(encodeSegment(events, { compact })).events()).toStrictEqual(events);
      },
    ),
  );
});

test('equal events make equal bytes, whatever the buffer held before', () => {
  const events = [{ tsMs: 5, name: 'a', dims: { d: 'x' }, measures: { m: 1.5, n: 300 } }];
  expect(encodeSegment(events, { compact: false })).toEqual(encodeSegment(events, { compact: false }));
});

test('bytes that are not a segment are refused', () => {
  const whole = encodeSegment([{ tsMs: 1, name: 'a', dims: {}, measures: {} }], { compact: false });
  expect(() => decodeSegment(Buffer.from(new ArrayBuffer(40)))).toThrow('Not a segment');
  expect(() => decodeSegment(whole.subarray(0, whole.length - 1))).toThrow('cut short');
});

test('many events are stored in under 48 bytes each at once, under 25 when compacted', () => {
  const events = Array.from({ length: 1_000 }, (_, i): TelemetryEvent => ({
    tsMs: 1_800_000_000_000 + i * 60,
    name: 'llm.call',
    dims: { operation: `op${i % 8}`, model: `model-${i % 6}`, status: i % 33 ? 'ok' : 'error', env: 'prod' },
    measures: {
      duration_ms: ((i * 7919) % 300_000) / 100,
      ttft_ms: ((i * 104_729) % 40_000) / 100,
      cost: ((i * 1_299_709) % 10_000) / 1e6,
      input_tokens: (i * 31) % 2_000,
      output_tokens: (i * 17) % 800,
    },
  }));
  expect(encodeSegment(events, { compact: false }).length / events.length).toBeLessThan(48);
  expect(encodeSegment(events, { compact: true }).length / events.length).toBeLessThan(25);
});
