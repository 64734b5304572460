import fc from 'fast-check';
import { expect, test } from 'vitest';
import { decodeSegment, encodeSegment } from '../codec/codec.ts';
import type { Segment } from '../codec/decode.ts';
import type { KeptSegments } from './kept-segments.ts';
import { SegmentCache } from './segment-cache.ts';

const TENANT = 'a tenant';

/** A segment by itself, told by its time: many start together. */
function segmentOf(number: number): Segment {
  return decodeSegment(encodeSegment([{ tsMs: number, name: 'call', dims: {}, measures: {} }], { compact: false }));
}

/** As the database lists them: ordered by start, in any order within one. */
function packed(numbers: readonly number[]): Buffer {
  const starts = numbers.map((number) => ({ number, start: number % 7 })).sort((a, b) => a.start - b.start);
  const keys = Buffer.alloc(24 * numbers.length);
  for (const [place, { number, start }] of starts.entries()) {
    keys.writeUInt32BE(number, place * 24 + (number % 4) * 4);
    keys.writeUInt32BE(1_000 * start, place * 24 + 20);
  }
  return keys;
}

function matched(kept: KeptSegments, numbers: readonly number[]): { found: number[]; missing: number } {
  const slots: number[] = [];
  const missing: number[] = [];
  kept.match(packed(numbers), slots, missing);
  return { found: slots.map((slot) => kept.segments[slot]!.minTs).sort((a, b) => a - b), missing: missing.length };
}

const numbers = fc.uniqueArray(fc.integer({ min: 1, max: 300 }), { maxLength: 200 });

test('a list is told apart into what was added and what was not, whatever was added, twice or in which order', () => {
  fc.assert(
    fc.property(numbers, numbers, (added, listed) => {
      const kept = new SegmentCache(Infinity).of('events', TENANT);
      for (const number of [...added, ...added]) kept.add(packed([number]), 0, segmentOf(number));
      const common = listed.filter((number) => added.includes(number)).sort((a, b) => a - b);
      expect(matched(kept, listed)).toEqual({ found: common, missing: listed.length - common.length });
    }),
    { numRuns: 200 },
  );
});

test('over its bound the cache lets go of what was not asked for again, and keeps the rest', () => {
  const cache = new SegmentCache(60_000);
  const kept = cache.of('events', TENANT);
  for (let number = 1; number <= 100; number++) kept.add(packed([number]), 0, segmentOf(number));
  const asked = [3, 50, 99];
  expect(matched(kept, asked)).toEqual({ found: asked, missing: 0 });
  expect(cache.bytes).toBeLessThan(60_000);
  for (let number = 101; number <= 300; number++) kept.add(packed([number]), 0, segmentOf(number));
  expect(cache.bytes).toBeGreaterThan(60_000);
  cache.trim();
  expect(cache.bytes).toBeLessThanOrEqual(60_000);
  expect(matched(cache.of('events', TENANT), [...asked, 4, 200])).toEqual({ found: asked, missing: 2 });
});

test('a slot that is used again holds its new segment alone', () => {
  const cache = new SegmentCache(Infinity);
  const kept = cache.of('events', TENANT);
  for (let number = 1; number <= 64; number++) kept.add(packed([number]), 0, segmentOf(number));
  kept.dropUnused();
  for (let number = 65; number <= 128; number++) kept.add(packed([number]), 0, segmentOf(number));
  expect(matched(kept, [1, 64, 65, 128])).toEqual({ found: [65, 128], missing: 2 });
  expect(Math.max(...[65, 128].map((number) => kept.segments.findIndex((segment) => segment?.minTs === number)))).toBeLessThan(64);
});

test('a cache that holds nothing costs nothing', () => {
  const cache = new SegmentCache(0);
  const kept = cache.of('events', TENANT);
  for (let number = 1; number <= 200; number++) kept.add(packed([number]), 0, segmentOf(number));
  matched(kept, [1, 2, 3]);
  cache.trim();
  expect(cache.bytes).toBe(0);
  kept.add(packed([1]), 0, segmentOf(1));
  expect(cache.bytes).toBe(0);
});
