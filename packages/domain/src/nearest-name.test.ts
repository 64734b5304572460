import { expect, test } from 'vitest';
import { nearestName } from './nearest-name.ts';

const NAMES = ['latency', 'ttft', 'error_rate', 'timeout_rate', 'threshold', 'minSamples', 'keepFiringFor'];

test.each([
  ['latencyy', 'latency'],
  ['latnecy', 'latency'],
  ['Latency', 'latency'],
  ['error-rate', 'error_rate'],
  ['min_samples', 'minSamples'],
  ['treshold', 'threshold'],
  ['keep_firing_for', 'keepFiringFor'],
  ['tfft', 'ttft'],
])('%s is near %s', (written, known) => {
  expect(nearestName(written, NAMES)).toBe(known);
});

test.each(['', 'x', 'colour', 'a'.repeat(10_000)])('nothing is near %.20s', (written) => {
  expect(nearestName(written, NAMES)).toBeNull();
});
