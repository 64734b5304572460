import type { LightMyRequestResponse } from 'fastify';
import { openEventStore } from '@tocsin/events';
import { serviceBounds, type ServiceConfig } from '@tocsin/services';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { buildApi } from '../src/build-api.ts';
import { eventBounds } from '../src/api-bounds.ts';
import { ADMIN_KEY, type Actor, aRule, expectProblem, openWorld, type World } from './open-world.ts';

const RULES: ServiceConfig = {
  rulesPerTenant: 2,
  comparisonsPerRule: 3,
  conditionDepth: 2,
  longestWindow: 3_600_000,
  shortestEvery: 20_000,
};
const EVENTS = { dimsPerEvent: 2, measuresPerEvent: 2, dimValueLength: 4, retention: 86_400_000, seriesPerRead: 1_000 };

let world: World;
beforeAll(async () => {
  world = await openWorld({ serviceBounds: serviceBounds(RULES) });
});
afterAll(() => world.close());

const comparison = { metric: 'latency', window: '5m', operator: '>', threshold: 1 };
const nested = (depth: number): object => Array.from({ length: depth }).reduce<object>((inner) => ({ not: inner }), comparison);

test.each([
  ['comparisons', { condition: { all: [comparison, comparison, comparison] } }, { condition: { all: Array(4).fill(comparison) } }],
  ['depth', { condition: nested(2) }, { condition: nested(3) }],
  ['window', { condition: { ...comparison, window: '1h' } }, { condition: { ...comparison, window: '3601s' } }],
  ['every', { every: '20s' }, { every: '19s' }],
])('a rule of as many %s as are set is taken, one more is refused with the number', async (_, at, above) => {
  const tenant = await world.tenant();
  const made = await tenant.ask('POST', '/rules', aRule(at));
  expect(made.status, made.text).toBe(201);
  expectProblem(await tenant.ask('PATCH', `/rules/${made.body.id}`, above), 'invalid', 422);
  expect(expectProblem(await tenant.ask('POST', '/rules', aRule({ ...above, key: 'above' })), 'invalid', 422).detail).toMatch(/\d/);
});

test('as many rules as are set are taken, and the schedule is as fine as a rule may be', async () => {
  const tenant = await world.tenant();
  for (const key of ['one', 'two']) expect((await tenant.ask('POST', '/rules', aRule({ key }))).status).toBe(201);
  expect(expectProblem(await tenant.ask('POST', '/rules', aRule({ key: 'three' })), 'bound_exceeded', 422).detail).toBe(
    'A tenant has at most 2 rules.',
  );
  expect((await tenant.ask('PUT', '/schedule', { every: '20s' })).status).toBe(200);
  expectProblem(await tenant.ask('PUT', '/schedule', { every: '19s' }), 'invalid', 422);
});

test('requests and events are bounded as is set', async () => {
  const tenant: Actor = await world.tenant();
  const key = await tenant.apiKey('editor');
  const events = openEventStore({ ...world.services, bounds: eventBounds({ ...RULES, ...EVENTS, bodyBytes: 0, eventsPerRequest: 0 }) });
  const app = await buildApi({
    services: { ...world.services, events },
    adminKey: ADMIN_KEY,
    dependencies: {},
    bounds: { bodyBytes: 2_048, eventsPerRequest: 3 },
  });
  const post = (items: object[]): Promise<LightMyRequestResponse> =>
    app.inject({ method: 'POST', url: '/api/v1/events', headers: { authorization: `Bearer ${key}` }, payload: { events: items } });
  const event = (dims: object, measures: object = {}): object => ({ name: 'call', dims, measures });
  expect((await post([{}, {}, {}].map(() => event({})))).json()).toEqual({ accepted: 3, rejected: [] });
  expect((await post([{}, {}, {}, {}].map(() => event({})))).statusCode).toBe(413);
  expect((await post([event({ a: '1234', b: '1' }, { c: 1, d: 2 })])).json()).toEqual({ accepted: 1, rejected: [] });
  const rejected = (await post([event({ a: '12345' }), event({ a: '', b: '', c: '' }), event({}, { a: 1, b: 1, c: 1 })])).json().rejected;
  expect(rejected.map(({ code }: { code: string }) => code)).toEqual(['bad_dim_value', 'too_many_dims', 'too_many_measures']);
  expect((await post([event({ a: 'x'.repeat(2_048) })])).statusCode).toBe(413);
  await app.close();
  await events.close();
});
