import { expect, test } from 'vitest';
import { dayOfHistory } from './history.ts';

const NOW = Date.UTC(2026, 0, 2, 12, 41, 17);

test('covers the last day without a gap or an overlap, and nothing of the running minute', () => {
  const times = [...dayOfHistory(NOW)].flatMap(({ events }) => events.map((event) => event.ts));
  expect(times).toEqual(times.toSorted((a, b) => a - b));
  expect(times[0]).toBe(Date.UTC(2026, 0, 1, 12, 30));
  expect(times.at(-1)).toBeLessThan(Date.UTC(2026, 0, 2, 12, 41));
  expect(new Set(times).size).toBe(times.length);
});

test('a later start repeats the same requests for the same span', () => {
  const later = new Map([...dayOfHistory(NOW + 60_000)].map((chunk) => [chunk.idempotencyKey, chunk.events]));
  for (const { idempotencyKey, events } of dayOfHistory(NOW)) expect(later.get(idempotencyKey)).toEqual(events);
});

test('no request holds more events than the API takes', () => {
  for (const { events } of dayOfHistory(NOW)) expect(events.length).toBeLessThanOrEqual(5_000);
});
