import { expect, test } from 'vitest';
import { encodeSegment } from '../codec/codec.ts';
import type { Segment } from '../codec/decode.ts';
import { Slab } from './slab.ts';

const bytes = encodeSegment([{ tsMs: 1_000, name: 'call', dims: {}, measures: { v: 1 } }], { compact: false });

/** What opening the segments took of memory that is not on the heap, and what it is counted as. Both in bytes. */
function costOf(open: () => Segment[]): { heldBytes: number; countedBytes: number } {
  const before = process.memoryUsage().arrayBuffers;
  const segments = open();
  return {
    heldBytes: process.memoryUsage().arrayBuffers - before,
    countedBytes: segments.reduce((sum, { byteLength }) => sum + byteLength, 0),
  };
}

test.each([
  ['one at a time', 2_000, 1],
  ['a few at a time', 500, 10],
  ['all at once', 1, 20_000],
] as const)('segments opened %s hold no more memory than they are counted as', (_how, reads, perRead) => {
  const { heldBytes, countedBytes } = costOf(() =>
    Array.from({ length: reads }, () => new Slab()).flatMap((slab) =>
      Array.from({ length: perRead }, () => slab.open(bytes, 0, bytes.length)),
    ),
  );
  expect(heldBytes).toBeLessThan(countedBytes);
});

test('segments opened side by side are each what was copied', () => {
  const slab = new Slab();
  const opened = Array.from({ length: 100 }, (_, at) => {
    const own = encodeSegment([{ tsMs: at, name: 'call', dims: {}, measures: {} }], { compact: false });
    return slab.open(own, 0, own.length);
  });
  expect(opened.map(({ minTs }) => minTs)).toEqual(Array.from({ length: 100 }, (_, at) => at));
});
