import fc from 'fast-check';
import { expect, test } from 'vitest';
import { parseRetryAfter } from './retry-after.ts';

const NOW = Date.parse('1994-11-06T08:49:30Z');

test.each([
  ['3', 3_000],
  [' 120 ', 120_000],
  ['0', 0],
  ['999999999999', 999_999_999_999_000],
  ['9'.repeat(400), Infinity],
  ['Sun, 06 Nov 1994 08:49:37 GMT', 7_000],
  ['Sun, 06 Nov 1994 08:49:00 GMT', 0],
])('%s waits %d ms', (header, ms) => {
  expect(parseRetryAfter(header, NOW)).toBe(ms);
});

test.each([
  '',
  '-1',
  '1.5',
  '1e3',
  '0x10',
  'soon',
  'NaN',
  '3, 5',
  'Sun, 06 Now 1994 08:49:37 GMT',
  'Sun, 99 Nov 1994 08:49:37 GMT',
  '1994-11-06T08:49:37Z',
])('%j asks for nothing', (header) => {
  expect(parseRetryAfter(header, NOW)).toBeNull();
});

test('dates are read as the platform reads them', () => {
  fc.assert(
    fc.property(fc.date({ min: new Date('1970-01-01'), max: new Date('2199-12-31'), noInvalidDate: true }), (date) => {
      const wholeSeconds = Math.floor(date.getTime() / 1_000) * 1_000;
      expect(parseRetryAfter(date.toUTCString(), 0)).toBe(wholeSeconds);
    }),
  );
});
