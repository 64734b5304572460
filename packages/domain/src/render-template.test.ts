import { expect, test } from 'vitest';
import { renderTemplate, type TemplateValues } from './render-template.ts';

const values = {
  value: 2_480,
  threshold: 2_500,
  name: 'Checkout',
  series: { operation: 'chat', 'k8s-pod': 'a' },
  isOpen: true,
  nothing: null,
};

test.each([
  ['p95 is {{ value }} on {{ series.operation }}', 'p95 is 2480 on chat'],
  ['{{value}}/{{ threshold}}', '2480/2500'],
  ['{{ series.k8s-pod }} {{ isOpen }}', 'a true'],
  ['{{ unknown }} {{ series.unknown }} {{ series }} {{ nothing }}', '{{ unknown }} {{ series.unknown }} {{ series }} {{ nothing }}'],
  [
    '{{ name.length }} {{ series.constructor }} {{ __proto__ }} {{ toString }}',
    '{{ name.length }} {{ series.constructor }} {{ __proto__ }} {{ toString }}',
  ],
  ["{{ constructor.constructor('return process')() }}", "{{ constructor.constructor('return process')() }}"],
  ['{{#each series}}x{{/each}} ${7*7} <%= value %>', '{{#each series}}x{{/each}} ${7*7} <%= value %>'],
  ['{{{ value }}}', '{2480}'],
  ['{{ value', '{{ value'],
])('%s', (template, text) => {
  expect(renderTemplate(template, values)).toBe(text);
});

test('only what was handed over is filled in, nothing inherited', () => {
  const inherited: TemplateValues = Object.create({ secret: 'x' });
  expect(renderTemplate('{{ secret }} {{ series.secret }}', { series: inherited })).toBe('{{ secret }} {{ series.secret }}');
});

test('what is filled in is not read again', () => {
  expect(renderTemplate('{{ a }}', { a: '{{ b }}', b: 'secret' })).toBe('{{ b }}');
});

test.each([['a'], ['é'], ['語'], ['🔔']])('ends in … at 4 KiB of %s, without half a character', (character) => {
  const text = renderTemplate('{{ long }}', { long: character.repeat(5_000) });
  expect(new TextEncoder().encode(text).length).toBeLessThanOrEqual(4_096);
  expect(new TextEncoder().encode(text).length).toBeGreaterThan(4_096 - 8);
  expect(text.endsWith(`${character}…`)).toBe(true);
});

test('4 KiB to the byte stay as they are', () => {
  expect(renderTemplate('a'.repeat(4_096), {})).toBe('a'.repeat(4_096));
});

test('a template of nothing but braces is done at once', () => {
  expect(renderTemplate('{{ '.repeat(100_000), {}).length).toBeLessThan(4_097);
});
