import { expect, test } from 'vitest';
import { seeded } from './seeded.ts';
import { callsPerMinute, shopEvent } from './shop.ts';

const sample = (isBroken: boolean) => {
  const random = seeded(7);
  return Array.from({ length: 2_000 }, (_, at) => shopEvent(at, { isBroken, random }));
};
const failedShare = (events: { dims: Record<string, string> }[]) => events.filter((e) => e.dims['status'] !== 'ok').length / events.length;
const p95 = (events: { measures: Record<string, number> }[]) =>
  events.map((e) => e.measures['duration_ms'] ?? 0).sort((a, b) => a - b)[Math.floor(events.length * 0.95)] ?? 0;

test('a healthy shop stays far below the thresholds of the demo rules', () => {
  expect(failedShare(sample(false))).toBeLessThan(0.03);
  expect(p95(sample(false))).toBeLessThan(4_000);
});

test('a broken shop crosses them', () => {
  expect(failedShare(sample(true))).toBeGreaterThan(0.3);
  expect(p95(sample(true))).toBeGreaterThan(6_000);
});

test('the shop is busier in the afternoon than at night', () => {
  const at = (hour: number) => callsPerMinute(Date.UTC(2026, 0, 1, hour));
  expect(at(4)).toBe(40);
  expect(at(16)).toBe(120);
});
