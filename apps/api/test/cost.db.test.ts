import { afterAll, beforeAll, expect, test } from 'vitest';
import {
  type Actor,
  ADMIN_KEY,
  type Answer,
  aRule,
  aWebhook,
  expectProblem,
  openWorld,
  type Method,
  SCHEDULER_SECRET,
  type World,
} from './open-world.ts';

let world: World;
let tenant: Actor;

beforeAll(async () => {
  world = await openWorld();
  tenant = await world.tenant();
});
afterAll(() => world.close());

/** A multiple of what each of these takes, a fraction of what it took before there was a bound. */
const CPU_MS = 4_000;

async function cheaply(what: string, ask: () => Promise<Answer>): Promise<Answer> {
  const before = process.cpuUsage();
  const answer = await ask();
  const { user, system } = process.cpuUsage(before);
  expect((user + system) / 1_000, what).toBeLessThan(CPU_MS);
  return answer;
}

/** Routes that read a body, with any text for each parameter of their path. */
const routesWithBodies = (): { method: Method; path: string }[] =>
  world.app
    .permissions()
    .flatMap(({ method, url }) => method.split(',').map((each) => ({ method: each as Method, path: url.replace(/:\w+/g, 'x') })))
    .filter(({ method, path }) => path.startsWith('/api/v1/') && ['POST', 'PUT', 'PATCH', 'DELETE'].includes(method))
    .filter(({ path }) => path !== '/api/v1/events');

const manyFields = (count: number): string => `{${Array.from({ length: count }, (_, index) => `"k${index}":0`).join()}}`;

test('a body of more values than any request needs is a 413 on every route, for little', { timeout: 90_000 }, async () => {
  const routes = routesWithBodies();
  expect(routes.length).toBeGreaterThan(14);
  const asAdmin = world.askWith(await tenant.apiKey('admin'));
  const others = new Map([
    ['/api/v1/tenants', world.askWith(ADMIN_KEY)],
    ['/api/v1/scheduled-run', world.askWith(SCHEDULER_SECRET)],
  ]);
  for (const body of [`[${'0,'.repeat(1_000_000)}0]`, manyFields(150_000)]) {
    for (const { method, path } of routes) {
      const ask = others.get(path) ?? asAdmin;
      const answer = await cheaply(`${method} ${path}`, () => ask(method, path, body));
      // what nobody has signed is not read there
      if (path.endsWith('/slack')) expectProblem(answer, 'slack_signature_required', 403);
      else expectProblem(answer, 'too_large', 413);
    }
  }
});

test.each([
  ['comparisons', '/rules', `{"name":"x","condition":{"all":[${'{},'.repeat(500_000)}{}]}}`],
  ['labels', '/rules', JSON.stringify(aRule()).replace('{', `{"labels":${manyFields(150_000)},`)],
  [
    'headers',
    '/channels',
    `{"key":"a","name":"b","kind":"webhook","config":{"url":"https://x.example/","headers":${manyFields(150_000)}}}`,
  ],
])('so is one of too many %s', async (_what, path, body) => {
  expectProblem(await cheaply(path, () => tenant.ask('POST', path, body)), 'too_large', 413);
});

test('faults are counted up to a hundred, and no hint is looked for beyond', async () => {
  const unknown = Object.fromEntries(Array.from({ length: 95_000 }, (_, index) => [`thresholdd${index}`, 0]));
  for (const [method, path, body] of [
    ['POST', '/rules', aRule(unknown)],
    ['POST', '/channels', aWebhook(unknown)],
    ['POST', '/channels', aWebhook({ config: { url: 'https://receiver.example/', ...unknown } })],
    ['POST', '/channels', aWebhook({ config: { url: 'https://receiver.example/', headers: unknown } })],
    ['POST', '/metrics/query', unknown],
    ['PUT', '/schedule', unknown],
  ] as const) {
    const problem = expectProblem(await cheaply(`${method} ${path}`, () => tenant.ask(method, path, body)), 'invalid', 422);
    expect(problem.errors?.length).toBeLessThanOrEqual(100);
    expect(problem.detail.length).toBeLessThan(600);
  }
});

test.each([
  ['numbers', '0\n', 413],
  ['what is no JSON', 'x\n', 413],
  ['nothing', '\n', 202],
  ['blanks', ' \n', 202],
  ['one list in another', '[', 202],
])('a request of 5 MiB of %s, line by line, is answered for little', async (what, line, status) => {
  const lines = line.repeat((5 * 1_024 * 1_024) / line.length);
  const answer = await cheaply(what, () => tenant.ask('POST', '/events', lines, { 'content-type': 'application/x-ndjson' }));
  expect(answer.status).toBe(status);
});

test('the body of a request for a path or method that does not exist is not read, with or without a key', async () => {
  for (const ask of [world.askWith(null), world.askWith(await tenant.apiKey('viewer'))]) {
    expectProblem(await ask('POST', '/nothing', '{'), 'not_found', 404);
    expectProblem(await ask('POST', '/api/v1/alerts', '{'), 'method_not_allowed', 405);
    expectProblem(await ask('PATCH', '/api/v1/rules', 'x', { 'content-type': 'text/plain' }), 'method_not_allowed', 405);
  }
});
