import {
  AGGREGATIONS,
  compileRule,
  judge,
  METRIC_NAMES,
  OPERATORS,
  parseRule,
  type Aggregation,
  type CompiledRule,
  type MetricName,
  type QueryResult,
} from '@tocsin/domain';
import { makeTenant, testDatabase, type TestDatabase } from '@tocsin/testkit';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { minuteClock, MINUTE, NEVER, openStore } from '../../test/open-store.ts';
import type { EventStore } from '../event-store.ts';

const clock = minuteClock();
const now = clock.now();

let database: TestDatabase;
let store: EventStore;
let busy: string;
let silent: string;

beforeAll(async () => {
  database = await testDatabase();
  store = openStore(database.db, { clock });
  [busy, silent] = [(await makeTenant(database.db)).tenantId, (await makeTenant(database.db)).tenantId];
  const { rejected } = await store.ingest(busy, [...calls(), ...strangers()]);
  if (rejected.length > 0) throw new Error(JSON.stringify(rejected));
});
afterAll(() => database.drop());

/** Four calls a minute apart, the last of them newest, whose measures are 1, 2, 3 and 4 times something. */
function calls(): object[] {
  return [1, 2, 3, 4].map((k) => ({
    ts: now - (5 - k) * MINUTE,
    name: 'call',
    dims: { model: 'gpt-4o', operation: 'chat', status: ['ok', 'ok', 'error', 'timeout'][k - 1] },
    measures: {
      duration_ms: 100 * k,
      ttft_ms: 10 * k,
      cost: k / 8,
      anomaly_severity: k - 1,
      ...(k === 2 ? { input_tokens: 150, output_tokens: 50 } : { total_tokens: 100 * k }),
    },
  }));
}

/** Each differs in one thing from what a rule over those calls asks for, and would change every number. */
function strangers(): object[] {
  const huge = { duration_ms: 9e5, ttft_ms: 9e5, cost: 9e5, anomaly_severity: 4, total_tokens: 9e5 };
  const like = { name: 'call', ts: now - MINUTE, dims: { model: 'gpt-4o', operation: 'chat', status: 'error' }, measures: huge };
  return [
    { ...like, name: 'job' },
    { ...like, ts: now - 5 * MINUTE - 1 },
    { ...like, ts: now },
    { ...like, dims: { ...like.dims, model: 'gpt-4o-mini' } },
    { ...like, dims: { ...like.dims, operation: 'search' } },
    { ...like, dims: { operation: 'chat', status: 'error' } },
  ];
}

const ruleOf = (condition: object): CompiledRule => {
  const parsed = parseRule({ name: 'Rule', condition: { window: '5m', operator: '>', threshold: 0, ...condition } });
  if (!parsed.ok) throw new Error(JSON.stringify(parsed.issues));
  return compileRule(parsed.spec);
};

const readingsOf = async (tenantId: string, rules: readonly CompiledRule[]): Promise<QueryResult[]> => {
  const queries = rules.map(({ windows }) => ({ query: windows[0]!.query, endMs: now }));
  return (await store.source.read([{ tenantId, queries }], NEVER))[0]!;
};

const valueOf = (result: QueryResult): number | null => {
  if (result.kind !== 'series') throw new Error(result.kind === 'failed' ? result.message : 'warming');
  expect(result.series).toHaveLength(1);
  return result.series[0]!.value;
};

/** Of 1, 2, 3, 4, one a minute in five minutes. */
const OF_FOUR: Record<Aggregation, number> = {
  p50: 2.5,
  p90: 3.7,
  p95: 3.85,
  p99: 3.97,
  avg: 2.5,
  min: 1,
  max: 4,
  sum: 10,
  count: 4,
  rate: 4 / 5,
  last: 4,
  distinct: 4,
};
const times = (factor: number): Partial<Record<Aggregation, number>> =>
  Object.fromEntries(AGGREGATIONS.map((name) => [name, OF_FOUR[name] * (['count', 'rate', 'distinct'].includes(name) ? 1 : factor)]));

const EXPECTED: Record<MetricName, Partial<Record<Aggregation, number>>> = {
  latency: times(100),
  ttft: times(10),
  cost: times(1 / 8),
  token_usage: times(100),
  anomaly_severity: {
    p50: 1.5,
    p90: 2.7,
    p95: 2.85,
    p99: 2.97,
    avg: 1.5,
    min: 0,
    max: 3,
    sum: 6,
    count: 4,
    rate: 4 / 5,
    last: 3,
    distinct: 4,
  } satisfies Record<Aggregation, number>,
  error_rate: { avg: 50, count: 2, rate: 2 / 5 },
  timeout_rate: { avg: 25, count: 1, rate: 1 / 5 },
  throughput: { rate: 4 / 5, avg: 4 / 5, sum: 4, count: 4 },
};
const WHERE = { model: 'gpt-4o', operation: 'chat' };
const table = METRIC_NAMES.flatMap((metric) =>
  (Object.entries(EXPECTED[metric]) as [Aggregation, number][]).map(([aggregation, expected]) => ({ metric, aggregation, expected })),
);

describe('a rule over events', () => {
  test.each(table)(
    '$metric $aggregation is $expected, and each operator knows on which side of it, or at it, a threshold lies',
    async (row) => {
      const { metric, aggregation, expected } = row;
      const asked = { metric, aggregation, name: 'call', where: WHERE };
      const [result] = await readingsOf(busy, [ruleOf(asked)]);
      const value = valueOf(result!)!;
      expect(Math.abs(value - expected)).toBeLessThanOrEqual(1e-12 * expected);
      const verdicts = Object.fromEntries(
        OPERATORS.map((operator) => [
          operator,
          [value - 1e-9, value, value + 1e-9].map(
            (threshold) => judge(ruleOf({ ...asked, operator, threshold }), [result!], []).judgements[0]?.verdict,
          ),
        ]),
      );
      const [yes, no] = ['breach', 'clear'];
      expect(verdicts).toEqual({
        '>': [yes, no, no],
        '>=': [yes, yes, no],
        '<': [no, no, yes],
        '<=': [no, yes, yes],
        '==': [no, yes, no],
        '!=': [yes, no, yes],
      });
    },
  );

  const IS_ZERO = new Set<Aggregation>(['count', 'sum', 'rate']);
  test.each([
    ['that never came', () => silent, WHERE],
    ['that a filter leaves none of', () => busy, { model: 'gpt-4o', operation: 'nothing' }],
  ])('%s is 0 where it counts or adds, and no reading otherwise', async (_what, tenant, where) => {
    const rules = table.map(({ metric, aggregation }) => ruleOf({ metric, aggregation, name: 'call', where, operator: '<=' }));
    const results = await readingsOf(tenant(), rules);
    for (const [index, { metric, aggregation }] of table.entries()) {
      const isZero = IS_ZERO.has(aggregation) || metric === 'throughput';
      expect([metric, aggregation, valueOf(results[index]!)]).toEqual([metric, aggregation, isZero ? 0 : null]);
      expect(judge(rules[index]!, [results[index]!], []).judgements[0]?.verdict).toBe(isZero ? 'breach' : 'unknown');
    }
  });

  test.each<[object, number]>([
    [{}, 8],
    [{ model: 'gpt-4o' }, 6],
    [{ operation: 'chat' }, 7],
    [{ status: 'error' }, 5],
    [{ status: 'success' }, 2],
    [{ ...WHERE, status: 'timeout' }, 1],
    [{ ...WHERE, status: ['error', 'timeout'] }, 3],
    [{ model: { prefix: 'gpt-4o' } }, 7],
    [{ model: { not: 'gpt-4o' } }, 2],
    [{ model: { exists: false } }, 1],
    [{ model: 'GPT-4O' }, 0],
    [{ model: 'gpt' }, 0],
    [{ input_tokens: { exists: true } }, 1],
    [{ ...WHERE, duration_ms: { '>=': 200, '<': 400 } }, 2],
    [{ ...WHERE, duration_ms: { '==': 300 } }, 1],
    [{ ...WHERE, duration_ms: { '!=': 300 } }, 4],
  ])('where %j it counts %i', async (where, count) => {
    const [result] = await readingsOf(busy, [ruleOf({ metric: 'throughput', aggregation: 'count', where })]);
    expect(valueOf(result!)).toBe(count);
  });
});
