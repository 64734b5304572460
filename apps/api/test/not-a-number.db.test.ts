import { afterAll, beforeAll, expect, test } from 'vitest';
import { type Actor, aRule, aWebhook, expectProblem, type Method, openWorld, type World } from './open-world.ts';

let world: World;
let tenant: Actor;
let ruleId: string;

beforeAll(async () => {
  world = await openWorld();
  tenant = await world.tenant();
  ruleId = (await tenant.ask('POST', '/rules', aRule({ key: 'kept' }))).body.id;
});
afterAll(() => world.close());

const condition = (changes: object): object => ({ metric: 'latency', window: '5m', operator: '>', threshold: 1, ...changes });
const query = (changes: object): object => ({ metric: 'latency', window: '5m', from: 0, to: 60_000, step: '1m', ...changes });
const MARK = 'MARK';

/** Each door that takes a number or a length of time, with MARK where it belongs. */
const DOORS: readonly [Method, string, object][] = [
  ['POST', '/rules', aRule({ condition: condition({ threshold: MARK }) })],
  ['POST', '/rules', aRule({ condition: condition({ recover: MARK }) })],
  ['POST', '/rules', aRule({ condition: condition({ minSamples: MARK }) })],
  ['POST', '/rules', aRule({ condition: condition({ window: MARK }) })],
  ['POST', '/rules', aRule({ condition: condition({ where: { duration_ms: { '>': MARK } } }) })],
  ['POST', '/rules', aRule({ condition: { all: [condition({}), { not: condition({ threshold: MARK }) }] } })],
  ...['every', 'for', 'keepFiringFor', 'cooldown', 'evaluationDelay', 'remindEvery'].map((field): [Method, string, object] => [
    'POST',
    '/rules',
    aRule({ [field]: MARK }),
  ]),
  ['PATCH', '/rules/:id', { cooldown: MARK }],
  ['PATCH', '/rules/:id', { condition: condition({ threshold: MARK }) }],
  ['PUT', '/rules/by-key/made', aRule({ condition: condition({ threshold: MARK }) })],
  ['PUT', '/schedule', { every: MARK }],
  ['POST', '/channels', aWebhook({ enabled: MARK })],
  ['POST', '/metrics/query', query({ window: MARK })],
  ['POST', '/metrics/query', query({ from: MARK })],
  ['POST', '/metrics/query', query({ to: MARK })],
  ['POST', '/metrics/query', query({ step: MARK })],
  ['POST', '/metrics/query', query({ where: { duration_ms: { '<=': MARK } } })],
];

test.for(DOORS)('what is no number is a 4xx: %s %s %j', async ([method, path, body]) => {
  const text = JSON.stringify(body);
  const at = path.replace(':id', ruleId);
  const before = (await tenant.ask('GET', `/rules/${ruleId}`)).text;
  for (const written of ['NaN', 'Infinity', '-Infinity', 'nan']) {
    expectProblem(await tenant.ask(method, at, text.replace('"MARK"', written)), 'bad_json', 400);
    expectProblem(await tenant.ask(method, at, text.replace('MARK', written)), 'invalid', 422);
  }
  expectProblem(await tenant.ask(method, at, text.replace('"MARK"', '1e400')), 'invalid', 422);
  expectProblem(await tenant.ask(method, at, text.replace('"MARK"', '-1e400')), 'invalid', 422);
  expect((await tenant.ask('GET', `/rules/${ruleId}`)).text).toBe(before);
  expect((await tenant.ask('GET', '/rules')).body.data).toHaveLength(1);
});

test('events with measures that are none are refused alone, with their index', async () => {
  expectProblem(await tenant.ask('POST', '/events', '{"events":[{"name":"x","measures":{"v":NaN}}]}'), 'bad_json', 400);
  const measures = ['1e400', '-1e400', '"NaN"', '"1"', 'null', 'true', '[]', '{}'];
  const events = ['1', ...measures].map((value) => `{"name":"x","measures":{"v":${value}}}`).join();
  const { status, body } = await tenant.ask('POST', '/events', `{"events":[${events}]}`);
  expect([status, body.accepted]).toEqual([202, 1]);
  expect(body.rejected.map(({ index, code }: { index: number; code: string }) => [index, code])).toEqual(
    measures.map((_, index) => [index + 1, 'bad_measure_value']),
  );
  const times = ['1e400', '"NaN"', '"Infinity"', 'true'].map((ts) => `{"name":"x","ts":${ts}}`).join();
  expect((await tenant.ask('POST', '/events', `{"events":[${times}]}`)).body).toMatchObject({
    accepted: 0,
    rejected: [{ code: 'bad_ts' }, { code: 'bad_ts' }, { code: 'bad_ts' }, { code: 'bad_ts' }],
  });
});

test.for([
  '/events?from=NaN',
  '/events?limit=NaN',
  '/rules?limit=Infinity',
  '/alerts?since=NaN',
  '/alerts?until=1e400',
  '/deliveries?limit=NaN',
])('nor does a parameter take it: %s', async (path) => {
  expectProblem(await tenant.ask('GET', path), 'invalid', 422);
});
