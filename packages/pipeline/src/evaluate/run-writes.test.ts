import type { LeasedRun, OpenAlert, RuleHead, SeriesRow } from '@tocsin/db';
import { compileRule, parseRule, windowsAt, type QueryResult } from '@tocsin/domain';
import { describe, expect, test } from 'vitest';
import { judgeRule } from './judge-rule.ts';
import type { PlannedRule } from './plan-run.ts';
import { collectWrites } from './run-writes.ts';

const MINUTE = 60_000;
const parsed = parseRule({
  name: 'Checkout',
  cooldown: '0s',
  condition: {
    any: [
      { metric: 'latency', window: '5m', operator: '>', threshold: 1_000 },
      { metric: 'error_rate', window: '5m', operator: '>', threshold: 5 },
    ],
  },
});
if (!parsed.ok) throw new Error(JSON.stringify(parsed.issues));
const compiled = compileRule(parsed.spec);
const rule = { tenantId: 't', id: 'r', version: 1, key: 'checkout', name: 'Checkout', labels: {}, packKey: null, compiled };
const head: RuleHead = { tenantId: 't', id: 'r', version: 1, health: 'ok', healthReason: null, marks: null, extraSlotMs: null };

const reads = (value: number): QueryResult => ({ kind: 'series', series: [{ labels: {}, value, samples: 9 }], dropped: 0 });
const AWAY: QueryResult = { kind: 'failed', code: 'query_timeout', message: 'too slow' };

/** The writes of a slot, numbered by its minute. */
function slot(minute: number, results: [QueryResult, QueryResult], known: SeriesRow | null) {
  const planned: PlannedRule = {
    rule,
    slotMs: minute * MINUTE,
    previousSlotMs: known === null ? null : (minute - 1) * MINUTE,
    everyMs: MINUTE,
    delayMs: 0,
    queries: windowsAt(compiled, minute * MINUTE),
  };
  return collectWrites([judgeRule({} as LeasedRun, head, planned, results, known === null ? [] : [known], {})]);
}

/** A series whose alert opened in minute 1, and what has been written of it since. */
function open(latency: number, errorRate: number, more: Partial<OpenAlert> = {}): SeriesRow {
  const writes = slot(1, [reads(latency), reads(errorRate)], null);
  const [series] = writes.series;
  const [alert] = writes.opened;
  if (series === undefined || alert === undefined) throw new Error('nothing fired');
  const { id, alertType, typeName, category, labels, startedMs, reading } = alert;
  const times = { startedMs, lastSlotMs: startedMs, reminderDueMs: null };
  return {
    ...series,
    version: 1,
    lastSeenMs: startedMs,
    isOpen: true,
    alert: { id, alertType, typeName, category, labels, status: 'active', reading, ...times, ...more },
  };
}

describe('an open alert is written', () => {
  test('when another comparison leads, whose peak starts anew', () => {
    const [written] = slot(2, [reads(200), reads(12)], open(2_400, 1)).updated;
    expect(written?.reading).toMatchObject({ metric: 'error_rate', value: 12, threshold: 5, unit: 'percent', peak: 12 });
  });

  test('when it is worse than ever', () => {
    const [written] = slot(2, [reads(2_500), reads(1)], open(2_400, 1)).updated;
    expect(written?.reading).toMatchObject({ metric: 'latency', value: 2_500, peak: 2_500 });
  });

  test('with its peak as it was when it is better', () => {
    const [written] = slot(2, [reads(1_100), reads(1)], open(2_400, 1, { status: 'triggered' })).updated;
    expect(written?.reading).toMatchObject({ metric: 'latency', value: 1_100, peak: 2_400 });
  });

  test.each([
    ['in the minute before its reminder', 3, 4 * MINUTE],
    ['two minutes before it, should the next run be late', 2, 4 * MINUTE],
    ['while its reminder is overdue', 4, 3 * MINUTE],
    ['when nothing was written for five minutes', 6, null],
  ])('%s', (_name, minute, reminderDueMs) => {
    const { updated, series } = slot(minute, [reads(1_100), reads(1)], open(2_400, 1, { reminderDueMs }));
    expect(updated).toMatchObject([{ reading: { value: 1_100, peak: 2_400 }, slotMs: minute * MINUTE }]);
    expect(series, 'its series is as it was').toEqual([]);
  });
});

describe('an open alert is not written', () => {
  test.each<[string, number, [QueryResult, QueryResult], Partial<OpenAlert>]>([
    ['for another number just after the last one', 3, [reads(1_100), reads(1)], {}],
    ['for a reminder that is far away', 3, [reads(1_100), reads(1)], { reminderDueMs: 30 * MINUTE }],
    ['for the same number, however old', 50, [reads(2_400), reads(1)], { reminderDueMs: 51 * MINUTE }],
  ])('%s', (_name, minute, results, more) => {
    const writes = slot(minute, results, { ...open(2_400, 1, more), lastSeenMs: minute * MINUTE });
    expect([writes.updated, writes.series]).toEqual([[], []]);
  });
});

test('a query that fails takes the value from what is written, and nothing else', () => {
  const [written] = slot(2, [AWAY, AWAY], open(1, 12, { status: 'triggered' })).updated;
  expect(written?.reading).toMatchObject({ metric: 'error_rate', value: null, threshold: 5, unit: 'percent', peak: 12 });
});
