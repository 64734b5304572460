import { expect, test } from 'vitest';
import { DEFAULT_BOUNDS } from '../bounds.ts';
import { ByteSink } from '../codec/byte-sink.ts';
import { decodeSegment } from '../codec/codec.ts';
import { encodeInto } from '../codec/encode.ts';
import type { RejectionCode } from '../event.ts';
import { PendingEvents } from './pending-events.ts';

const NOW = Date.parse('2026-11-20T12:00:30Z');
const add = (...events: unknown[]) => new PendingEvents({ bytes: 0 }).add(events, NOW, DEFAULT_BOUNDS);

/** What would be stored, segment by segment. */
function stored(pending: PendingEvents) {
  return pending.segments.map((builder) => {
    const sink = new ByteSink(1024);
    encodeInto(sink, builder, { compact: false });
    return decodeSegment(sink.bytes.subarray(0, sink.length)).events();
  });
}
const parsed = (json: string): unknown => JSON.parse(json);
const fields = <T>(count: number, value: T) => Object.fromEntries(Array.from({ length: count }, (_, i) => [`f${i}`, value]));

test.for<[string, unknown, RejectionCode]>([
  ['a list', [], 'not_an_object'],
  ['null', null, 'not_an_object'],
  ['a text', 'event', 'not_an_object'],
  ['an unknown field', { name: 'a', tags: {} }, 'unknown_field'],
  ['__proto__ as a field', parsed('{"name":"a","__proto__":{"x":1}}'), 'unknown_field'],
  ['no name', {}, 'bad_name'],
  ['a name that is no text', { name: 7 }, 'bad_name'],
  ['an empty name', { name: '' }, 'bad_name'],
  ['a name of 257 characters', { name: 'x'.repeat(257) }, 'bad_name'],
  ['a name with a line break', { name: 'a\nb' }, 'bad_name'],
  ['a name with NUL', { name: 'a\0b' }, 'bad_name'],
  ['a name with half a character', { name: 'a\ud800' }, 'bad_name'],
  ['a reserved name', { name: 'tocsin.evaluation' }, 'reserved_name'],
  ['the name of a saved metric', { name: 'metric.open-issues' }, 'reserved_name'],
  ['ts null', { name: 'a', ts: null }, 'bad_ts'],
  ['ts a word', { name: 'a', ts: 'yesterday' }, 'bad_ts'],
  ['ts not finite', { name: 'a', ts: Infinity }, 'bad_ts'],
  ['ts over five minutes ahead', { name: 'a', ts: NOW + 300_001 }, 'ts_in_future'],
  ['ts older than retention', { name: 'a', ts: NOW - 30 * 86_400_000 - 1 }, 'ts_too_old'],
  ['ts in seconds', { name: 'a', ts: NOW / 1000 }, 'ts_too_old'],
  ['dims a list', { name: 'a', dims: [] }, 'bad_dims'],
  ['dims null', { name: 'a', dims: null }, 'bad_dims'],
  ['a dim that is null', { name: 'a', dims: { d: null } }, 'bad_dim_value'],
  ['a dim that is an object', { name: 'a', dims: { d: {} } }, 'bad_dim_value'],
  ['a dim that is NaN', { name: 'a', dims: { d: NaN } }, 'bad_dim_value'],
  ['a dim of 257 characters', { name: 'a', dims: { d: 'x'.repeat(257) } }, 'bad_dim_value'],
  ['a dim with half a character', { name: 'a', dims: { d: '\udc00' } }, 'bad_dim_value'],
  ['a dim named __proto__', { name: 'a', dims: parsed('{"__proto__":"x"}') }, 'bad_dim_name'],
  ['a dim without a name', { name: 'a', dims: { '': 'x' } }, 'bad_dim_name'],
  ['33 dims', { name: 'a', dims: fields(33, 'x') }, 'too_many_dims'],
  ['measures a number', { name: 'a', measures: 5 }, 'bad_measures'],
  ['a measure that is a text', { name: 'a', measures: { m: '95' } }, 'bad_measure_value'],
  ['a measure that is null', { name: 'a', measures: { m: null } }, 'bad_measure_value'],
  ['a measure of 1e400', { name: 'a', measures: parsed('{"m":1e400}') }, 'bad_measure_value'],
  ['a measure that is NaN', { name: 'a', measures: { m: NaN } }, 'bad_measure_value'],
  ['a measure with a tab in its name', { name: 'a', measures: { 'a\tb': 1 } }, 'bad_measure_name'],
  ['33 measures', { name: 'a', measures: fields(33, 1) }, 'too_many_measures'],
])('%s is refused', ([, event, code]) => {
  expect(add({ name: 'fine' }, event)).toMatchObject({ accepted: 1, rejected: [{ index: 1, code }] });
});

test('a refused event leaves nothing behind in the events around it', () => {
  const pending = new PendingEvents({ bytes: 0 });
  pending.add(
    [
      { ts: NOW, name: 'a', dims: { d: 'x' }, measures: { m: 1 } },
      { ts: NOW, name: 'b', dims: { d: 'y', e: 'z' }, measures: { m: 2, n: 'no' } },
      { ts: NOW, name: 'c' },
    ],
    NOW,
    DEFAULT_BOUNDS,
  );
  expect(stored(pending)).toEqual([
    [
      { tsMs: NOW, name: 'a', dims: { d: 'x' }, measures: { m: 1 } },
      { tsMs: NOW, name: 'c', dims: {}, measures: {} },
    ],
  ]);
});

test('numbers and booleans become texts, a missing ts is now, fractions of a millisecond are cut', () => {
  const pending = new PendingEvents({ bytes: 0 });
  pending.add(
    [
      { name: 'a', dims: { n: 5.5, yes: true, empty: '' } },
      { name: 'b', ts: NOW - 0.5 },
      { name: 'c', ts: '2026-11-20T12:00:01.5009Z' },
    ],
    NOW,
    DEFAULT_BOUNDS,
  );
  expect(stored(pending).flat()).toEqual([
    { tsMs: NOW, name: 'a', dims: { n: '5.5', yes: 'true', empty: '' }, measures: {} },
    { tsMs: NOW - 1, name: 'b', dims: {}, measures: {} },
    { tsMs: Date.parse('2026-11-20T12:00:01.500Z'), name: 'c', dims: {}, measures: {} },
  ]);
});

test('the limits themselves are accepted', () => {
  expect(
    add(
      { name: 'x'.repeat(256), ts: NOW + 300_000, dims: fields(32, 'x'.repeat(256)), measures: fields(32, -0) },
      { name: 'a', ts: NOW - 30 * 86_400_000, measures: { tiny: 5e-324, large: Number.MAX_VALUE, odd: 2 ** 53 + 2 } },
      { name: 'tocsin', dims: { 'it\u2019s': "'; drop table rule;--" } },
    ),
  ).toEqual({ accepted: 3, rejected: [] });
});

test('every minute is a segment of its own', () => {
  const pending = new PendingEvents({ bytes: 0 });
  pending.add(
    [0, 59_999, 60_000, 1, 60_001].map((offset) => ({ name: 'a', ts: NOW - 30_000 + offset })),
    NOW,
    DEFAULT_BOUNDS,
  );
  expect(stored(pending).map((events) => events.map(({ tsMs }) => tsMs - NOW + 30_000))).toEqual([
    [0, 59_999, 1],
    [60_000, 60_001],
  ]);
});

test('events that share no field are split over segments instead of growing one without bound', () => {
  const events = Array.from({ length: 100 }, (_, i) => ({
    name: 'a',
    ts: NOW,
    dims: Object.fromEntries(Array.from({ length: 32 }, (__, k) => [`d${i}_${k}`, 'x'])),
  }));
  const pending = new PendingEvents({ bytes: 0 });
  expect(pending.add(events, NOW, DEFAULT_BOUNDS)).toEqual({ accepted: 100, rejected: [] });
  expect(pending.segments.length).toBe(13);
  expect(stored(pending).flat()).toHaveLength(100);
});
