import { expect, test } from 'vitest';
import { formatValue } from './format-value.ts';

test.each([
  [2_480, 'ms', '2,480 ms'],
  [12.5, 'percent', '12.5 %'],
  [4.2, 'USD', '$4.20'],
  [0.004, 'USD', '0.004 USD'],
  [0, 'USD', '$0.00'],
  [120, 'per minute', '120 per minute'],
  [3, 'events', '3 events'],
  [1_234_567.891, null, '1,234,567.89'],
  [0.000123, null, '0.000123'],
  [-3, null, '-3'],
  [-0, null, '0'],
  [5, '', '5'],
])('%d in %s is %s', (value, unit, text) => {
  expect(formatValue(value, unit)).toBe(text);
});

test.each([null, Number.NaN, Infinity, -Infinity])('%s is no data', (value) => {
  expect(formatValue(value, 'ms')).toBe('no data');
});
