import { readFileSync } from 'node:fs';
import { expect, test } from 'vitest';
import { phaseAfter } from './phase-after.ts';
import { slotText, type SlotStory } from './slot-text.ts';
import type { ComparisonTrace } from './trace-condition.ts';

const now: ComparisonTrace = {
  kind: 'comparison',
  index: 0,
  metric: 'latency',
  aggregation: 'p95',
  unit: 'ms',
  window: { fromMs: 0, toMs: 300_000 },
  basis: 'events',
  samples: 12,
  minSamples: 10,
  value: 2_000,
  operator: '>',
  threshold: 1_000,
  verdict: 'breach',
  holds: true,
  origin: null,
  why: null,
  levels: [],
};
const story = (over: Partial<SlotStory> = {}): string =>
  slotText({
    reason: 'fired',
    before: 'ok',
    after: 'firing',
    recorded: { value: 2_000, threshold: 1_000, operator: '>', samples: 12, why: null },
    now,
    rule: { forMs: 120_000, keepFiringForMs: 60_000, cooldownMs: 3_600_000 },
    told: [],
    ...over,
  });

const SEEN = 'p95 latency over 5m was 2,000 ms (limit > 1,000 ms), of 12 samples.';

test.each<{ what: string; over: Partial<SlotStory>; text: string }>([
  {
    what: 'what fired, and who heard of it',
    over: {
      told: [
        {
          kind: 'fired',
          silent: null,
          deliveries: [
            { channel: 'on-call', status: 'delivered', reason: null, attempts: 1 },
            { channel: 'slack', status: 'dead', reason: 'http_410', attempts: 3 },
          ],
        },
      ],
    },
    text: `${SEEN} It fired: an alert opened. The series went from ok to firing. Read again, its window says the same. Told as fired: on-call delivered, slack dead (http_410) after 3 attempts.`,
  },
  {
    what: 'what the cooldown held back',
    over: { reason: 'cooldown', before: 'ok', after: 'pending' },
    text: `${SEEN} It would have fired, but it had fired within the cooldown of 1h before, so nobody was told. The series went from ok to pending. Read again, its window says the same.`,
  },
  {
    what: 'too few samples, and those that came late',
    over: {
      reason: 'too_few_samples',
      before: 'ok',
      after: 'ok',
      recorded: { value: 2_100, threshold: 1_000, operator: '>', samples: 3, why: null },
    },
    text:
      'p95 latency over 5m was 2,100 ms (limit > 1,000 ms), of 3 samples. There were too few samples to say anything, so nothing changed. At least 10 are needed. The series was ok. ' +
      '9 samples came after it was evaluated: its window is now 2,000 ms, of 12 samples. By that the comparison holds.',
  },
  {
    what: 'a rule that found no series',
    over: {
      reason: 'no_series',
      before: null,
      after: null,
      now: null,
      recorded: { value: null, threshold: null, operator: null, samples: 0, why: null },
    },
    text: 'It saw no value (0 samples). The rule found no series at all.',
  },
  {
    what: 'what nobody hears of',
    over: { told: [{ kind: 'fired', silent: 'no_channels', deliveries: [] }] },
    text: `${SEEN} It fired: an alert opened. The series went from ok to firing. Read again, its window says the same. Nobody was told that it was fired (no_channels).`,
  },
])('tells $what', ({ over, text }) => {
  expect(story(over)).toBe(text);
});

test.each([
  ['fired', 'firing'],
  ['holding', 'pending'],
  ['recovering', 'recovering'],
  ['resolved', 'ok'],
  ['no_data_kept', null],
  ['changed_meanwhile', null],
  [null, null],
])('after %s a series is %s', (reason, phase) => {
  expect(phaseAfter(reason)).toBe(phase);
});

test('the worked answer of docs/rules.md is what is said', () => {
  const page = readFileSync(new URL('../../../docs/rules.md', import.meta.url), 'utf8');
  const quoted = page.match(/reads in `series\[0\]\.text`:\n\n((?:> .*\n)+)/)?.[1] ?? '';
  const said = story({
    reason: 'clear',
    before: 'ok',
    after: 'ok',
    recorded: { value: 940, threshold: 1_000, operator: '>', samples: 12, why: null },
    now: { ...now, value: 2_150, samples: 21 },
  });
  expect(quoted.replaceAll('> p95', 'p95').replaceAll('\n> ', ' ').trim()).toBe(said);
});
