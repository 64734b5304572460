import { expect, test } from 'vitest';
import { faultOfPattern, matchesPattern } from './pattern.ts';

test.each<[pattern: string, text: string, isMatch: boolean]>([
  ['checkout', 'checkout', true],
  ['checkout', 'checkout-eu', false],
  ['checkout.*', 'checkout-eu', true],
  ['(?i)EU', 'eu', true],
  ['eu|us', 'us', true],
  ['eu|us', 'eus', false],
  ['.*', '', true],
  ['\\\\pL+', 'größe', true],
  ['a.b', 'a\\nb', false],
])('%s and %j: %s', (pattern, text, isMatch) => {
  expect(matchesPattern(pattern.replaceAll('\\\\', '\\'), text.replaceAll('\\n', '\n'))).toBe(isMatch);
});

test.each([
  ['(', 'missing closing'],
  ['a(?=b)', 'invalid or unsupported'],
  ['(a)\\1', 'invalid escape'],
  ['[z-a]', 'invalid character class range'],
  ['(a{1000}){1000}', 'invalid repeat count'],
  ['(a{0,30}){0,30}', 'repeats too much'],
])('%s is refused: %s', (pattern, fault) => {
  expect(faultOfPattern(pattern)).toContain(fault);
  expect(() => matchesPattern(pattern, 'a')).toThrow(RangeError);
});

test('what would take a backtracking engine years takes no time', () => {
  const startMs = performance.now();
  for (let length = 1; length <= 256; length += 1) expect(matchesPattern('(a+)+b', 'a'.repeat(length))).toBe(false);
  expect(performance.now() - startMs).toBeLessThan(5_000);
});
