import { expect, test } from 'vitest';
import { decodeSegment, encodeSegment } from '../codec/codec.ts';
import { KeptSegments } from './kept-segments.ts';
import { Slab } from './slab.ts';
import { TenantRead } from './tenant-read.ts';

const TENANT = 'a tenant';
const EPOCH_OF_KEYS = Date.UTC(2000, 0, 1);
const NOTHING = Buffer.alloc(0);
const slab = new Slab();
const snapshot = (transactions: string, server = 'a server') => ({ transactions, server });
const range = { tenantId: TENANT, fromMs: EPOCH_OF_KEYS, toMs: EPOCH_OF_KEYS + 1_000 };

const bytesOf = (at: number): Buffer =>
  encodeSegment([{ tsMs: EPOCH_OF_KEYS + at, name: 'call', dims: {}, measures: {} }], { compact: false });

/** The key of a segment that is named after its time. */
function keyOf(at: number): Buffer {
  const key = Buffer.alloc(24);
  key.writeUInt32BE(at, 12);
  key.writeUInt32BE(1_000 * at, 20);
  return key;
}

function fresh(at: number, replaced: readonly number[] | null) {
  const data = bytesOf(at);
  const bytes = Buffer.concat([keyOf(at), data]);
  const ids = replaced === null ? null : Buffer.concat(replaced.map((each) => keyOf(each).subarray(0, 16)));
  return { bytes, key: 0, from: 24, to: bytes.length, replaced: ids };
}

function begin(kept: KeptSegments, server = 'a server'): { read: TenantRead; isKnown: boolean } {
  const read = new TenantRead(kept, range);
  return { read, isKnown: read.begin(server) };
}

/** Reads a list of segments to its end. */
function listed(read: TenantRead, at: readonly number[], transactions = '1:1:'): void {
  read.takeList(Buffer.concat(at.map(keyOf)));
  for (const each of at) read.takeListed(keyOf(each), 0, decodeSegment(bytesOf(each)));
  read.endList(snapshot(transactions));
}

const timesIn = (kept: KeptSegments): number[] => kept.slotsIn(range.fromMs, range.toMs).map((slot) => kept.minTs[slot]! - EPOCH_OF_KEYS);

function keptWith(at: readonly number[]): KeptSegments {
  const kept = new KeptSegments({ bytes: 0 });
  listed(begin(kept).read, at);
  return kept;
}

test('what was listed once is asked for by its snapshot, on the same server', () => {
  const kept = keptWith([1, 2]);
  const { read, isKnown } = begin(kept);
  expect(isKnown).toBe(true);
  expect(read.newRange).toEqual({ ...range, listedToMs: range.toMs, transactions: '1:1:' });
  expect(begin(kept, 'another server').isKnown).toBe(false);
});

test('what comes in the place of others leaves them out; where it does not say of which, or of unknown ones, all is listed again', () => {
  const kept = keptWith([1, 2, 3]);
  const { read } = begin(kept);
  read.addFresh(fresh(4, [1, 3]), slab);
  expect(read.takeFresh(snapshot('2:2:'))).toBe(1);
  expect(timesIn(kept)).toEqual([2, 4]);
  for (const replaced of [null, [99]]) {
    const { read: next } = begin(kept);
    next.addFresh(fresh(5, replaced), slab);
    expect(next.takeFresh(snapshot('3:3:'))).toBeNull();
    expect(timesIn(kept)).toEqual([2, 4]);
  }
});

test('of two reads at once the slower one keeps nothing, since the faster one may have seen more', () => {
  const kept = keptWith([1, 2]);
  const [slow, fast] = [begin(kept).read, begin(kept).read];
  slow.addFresh(fresh(3, []), slab);
  fast.addFresh(fresh(4, [1, 2]), slab);
  expect(fast.takeFresh(snapshot('3:3:'))).toBe(1);
  expect(slow.takeFresh(snapshot('2:2:'))).toBeNull();
  expect(timesIn(kept)).toEqual([4]);
});

test('the same of two first reads', () => {
  const kept = new KeptSegments({ bytes: 0 });
  const [slow, fast] = [begin(kept).read, begin(kept).read];
  slow.takeList(Buffer.concat([keyOf(1), keyOf(2)]));
  expect(slow.takeListed(keyOf(1), 0, decodeSegment(bytesOf(1)))).toBe(false);
  listed(fast, [4]);
  slow.takeListed(keyOf(2), 0, decodeSegment(bytesOf(2)));
  slow.endList(snapshot('2:2:'));
  expect(timesIn(kept)).toEqual([4]);
  expect(begin(kept).read.newRange.transactions).toBe('1:1:');
});

test('what is dropped for want of room is listed again, before the read that brought it ends and after', () => {
  const kept = new KeptSegments({ bytes: 0 });
  const { read } = begin(kept);
  read.takeList(keyOf(1));
  read.takeListed(keyOf(1), 0, decodeSegment(bytesOf(1)));
  kept.dropUnused();
  read.endList(snapshot('1:1:'));
  expect(begin(kept).isKnown).toBe(false);

  listed(begin(kept).read, [1, 2]);
  expect(begin(kept).isKnown).toBe(true);
  kept.dropUnused();
  kept.dropUnused();
  expect(begin(kept).isKnown).toBe(false);
});

test('a tenant without any events is known, too', () => {
  const kept = keptWith([]);
  const { read, isKnown } = begin(kept);
  expect(isKnown).toBe(true);
  read.addFresh(fresh(7, []), slab);
  expect(read.takeFresh(snapshot('2:2:'))).toBe(1);
  expect(read.slots.length).toBe(1);
  expect(read.takeList(NOTHING)).toEqual([]);
});
