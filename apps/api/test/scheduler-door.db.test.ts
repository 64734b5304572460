import { createLogger, createMetrics } from '@tocsin/runtime';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { buildApi } from '../src/build-api.ts';
import { ADMIN_KEY, type Answer, expectProblem, openWorld, SCHEDULER_SECRET, type World } from './open-world.ts';

let world: World;
const log: string[] = [];
let nowMs = Date.now();

beforeAll(async () => {
  const clock = { now: () => nowMs, sleep: () => Promise.resolve() };
  world = await openWorld({
    clock,
    metrics: createMetrics('door'),
    logger: createLogger('test', 'info', { write: (line: string) => void log.push(line) }),
  });
});
afterAll(() => world.close());

const knock = (headers: Record<string, string>, method: 'GET' | 'POST' = 'POST'): Promise<Answer> =>
  world.askWith(null)(method, '/api/v1/scheduled-run', undefined, headers);
const counted = async (): Promise<Record<string, number>> => {
  const { values } = await world.services.metrics.scheduledRuns.get();
  return Object.fromEntries(values.map(({ labels, value }) => [labels.result, value]));
};

test.each<[what: string, headers: Record<string, string>]>([
  ['its header', { 'x-tocsin-scheduler-secret': SCHEDULER_SECRET }],
  ['a bearer', { authorization: `Bearer ${SCHEDULER_SECRET}` }],
])('the secret in %s is let in, by GET and POST', async (_what, headers) => {
  for (const method of ['GET', 'POST'] as const) expect((await knock(headers, method)).status).toBe(200);
});

test.each<[what: string, headers: Record<string, string>]>([
  ['nothing', {}],
  ['another secret', { 'x-tocsin-scheduler-secret': 'x'.repeat(SCHEDULER_SECRET.length) }],
  ['its beginning', { 'x-tocsin-scheduler-secret': SCHEDULER_SECRET.slice(0, -1) }],
  ['more than it', { 'x-tocsin-scheduler-secret': `${SCHEDULER_SECRET}x` }],
  ['an empty one', { 'x-tocsin-scheduler-secret': '' }],
  ['a wrong header beside a right bearer', { 'x-tocsin-scheduler-secret': 'x', authorization: `Bearer ${SCHEDULER_SECRET}` }],
  ['a basic password', { authorization: `Basic ${Buffer.from(`x:${SCHEDULER_SECRET}`).toString('base64')}` }],
  ["the operator's key", { authorization: `Bearer ${ADMIN_KEY}` }],
])('%s is a 403, counted and logged', async (_what, headers) => {
  const [before, lines] = [(await counted())['refused'] ?? 0, log.length];
  expectProblem(await knock(headers), 'scheduler_secret_required', 403);
  expect((await counted())['refused']).toBe(before + 1);
  expect(log.slice(lines).join()).toContain('a scheduled run was refused');
  expect(log.join()).not.toContain(SCHEDULER_SECRET);
});

test("a tenant's key is no secret, and a HEAD runs nothing", async () => {
  nowMs += 60_000;
  const tenant = await world.tenant();
  expectProblem(await knock({ authorization: `Bearer ${await tenant.apiKey('admin')}` }), 'scheduler_secret_required', 403);
  const head = await world.app.inject({
    method: 'HEAD',
    url: '/api/v1/scheduled-run',
    headers: { 'x-tocsin-scheduler-secret': SCHEDULER_SECRET },
  });
  expect(head.statusCode).toBeGreaterThanOrEqual(400);
});

test('many wrong ones are told to wait and no longer logged, while the right one is let in; after a minute they are answered again', async () => {
  nowMs += 60_000;
  const wrong = { 'x-tocsin-scheduler-secret': 'guess' };
  const answers = [];
  for (let guess = 0; guess < 30; guess += 1) answers.push(await knock(wrong));
  expect(answers.map(({ status }) => status)).toEqual([...Array.from({ length: 20 }, () => 403), ...Array.from({ length: 10 }, () => 429)]);
  expect(Number(answers.at(-1)?.headers['retry-after'])).toBe(60);
  expect(await counted()).toMatchObject({ throttled: 10 });
  const lines = log.length;
  await knock(wrong);
  expect(log.slice(lines).join()).not.toContain('refused: not');
  expect((await knock({ 'x-tocsin-scheduler-secret': SCHEDULER_SECRET })).status).toBe(200);
  nowMs += 60_000;
  expect((await knock(wrong)).status).toBe(403);
});

test('without a secret in the environment nobody is let in: 503', async () => {
  const app = await buildApi({ services: world.services, adminKey: ADMIN_KEY, dependencies: {} });
  const answer = await app.inject({ method: 'POST', url: '/api/v1/scheduled-run', headers: { 'x-tocsin-scheduler-secret': '' } });
  expect([answer.statusCode, answer.json()]).toEqual([503, expect.objectContaining({ type: '/errors/scheduler_unset' })]);
  await app.close();
});
