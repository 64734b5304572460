import { MetricDefinition, MetricList, pageOf, Rule } from '@tocsin/contracts';
import { withTenantsSql } from '@tocsin/db';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { type Actor, aMetric, aRule, expectProblem, openWorld, type World } from './open-world.ts';

let world: World;
let tenant: Actor;

beforeAll(async () => {
  world = await openWorld();
  tenant = await world.tenant();
});
afterAll(() => world.close());

const PATH = '/metrics/definitions';
const over = (metric: string, more: object = {}): Record<string, unknown> => ({
  condition: { metric, window: '10m', operator: '>', threshold: 5, ...more },
});

const audited = (subject: string): Promise<string[]> =>
  withTenantsSql(world.services.db, [tenant.tenantId], async (sql) =>
    (await sql<{ action: string }[]>`select action from audit_events where subject = ${subject} order by at, id`).map(
      ({ action }) => action,
    ),
  );

test('a definition comes back in canonical words, with its first instant ahead', async () => {
  const query = { metric: 'latency', window: '5m', where: { env: 'prod' }, groupBy: ['model'] };
  const made = await tenant.ask('POST', PATH, { name: 'Slow models', query, every: '90s' });
  expect(made.status, made.text).toBe(201);
  expect(MetricDefinition.parse(made.body)).toMatchObject({
    key: 'slow-models',
    unit: 'ms',
    query: { ...query, aggregation: 'p95' },
    every: '90s',
    evaluationDelay: '10s',
    enabled: true,
    lastRun: null,
    lastError: null,
    version: 1,
  });
  const waitMs = Date.parse(made.body.nextRunAt) - Date.now();
  expect(waitMs > -1_000 && waitMs <= 91_000, String(waitMs)).toBe(true);
  expect(made.headers['etag']).toBe('"1"');
  expect((await tenant.ask('GET', `${PATH}/slow-models`)).body).toEqual(made.body);
  expectProblem(await tenant.ask('GET', `${PATH}/slow`), 'not_found', 404);
});

test('it is listed beside the catalogue', async () => {
  const own = await world.tenant();
  await own.ask('POST', PATH, aMetric({ unit: 'issues' }));
  const list = MetricList.parse((await own.ask('GET', '/metrics')).body);
  expect(list.definitions).toEqual([{ metric: 'open-issues', title: 'Open issues', unit: 'issues', defaultAggregation: 'last' }]);
  expect(list.catalogue.length).toBeGreaterThan(5);
});

test('what is wrong is named by its place', async () => {
  await tenant.ask('POST', PATH, aMetric({ key: 'base' }));
  for (const [body, pointer, message] of [
    [aMetric({ key: 'latency' }), '/key', 'has a meaning already'],
    [aMetric({ query: { metric: 'base', window: '5m' } }), '/query/metric', 'is not made of another'],
    [aMetric({ query: { measure: 'value', name: 'metric.base', window: '5m' } }), '/query/name', 'is not made of another'],
    [aMetric({ query: { metric: 'bass', window: '5m' } }), '/query/metric', "Did you mean 'base'?"],
    [aMetric({ query: { measure: 'open' } }), '/query/window', 'needs a window'],
    [aMetric({ every: '5s' }), '/every', 'must be between'],
    [aMetric({ source: 'sql' }), '/source', 'Unknown field'],
    [{}, '/name', 'needs a name'],
  ] as const) {
    const problem = expectProblem(await tenant.ask('POST', PATH, body), 'invalid', 422);
    expect(problem.errors).toContainEqual({ pointer, code: expect.any(String), message: expect.stringContaining(message) });
  }
  for (const patch of [{ key: 'other' }, { quer: {} }, { name: null }, { every: '1s' }, { query: { metric: 'base', window: '5m' } }])
    expectProblem(await tenant.ask('PATCH', `${PATH}/base`, patch), 'invalid', 422);
});

test('two of a tenant cannot have one key, two of two tenants can', async () => {
  const other = await world.tenant();
  expect((await tenant.ask('POST', PATH, aMetric({ key: 'one' }))).status).toBe(201);
  expect(expectProblem(await tenant.ask('POST', PATH, aMetric({ key: 'one' })), 'key_taken', 409).detail).toContain("'one'");
  expect((await other.ask('POST', PATH, aMetric({ key: 'one' }))).status).toBe(201);
});

test('a patch replaces what it names, and changing nothing makes no version', async () => {
  const { body } = await tenant.ask('POST', PATH, aMetric({ key: 'patched', unit: 'issues', every: '5m' }));
  expect((await tenant.ask('PATCH', `${PATH}/patched`, { name: body.name, query: body.query, every: '5m' })).body).toEqual(body);
  const patched = await tenant.ask('PATCH', `${PATH}/patched`, { every: null, unit: null, name: 'Patched', enabled: false });
  expect(patched.body).toMatchObject({
    name: 'Patched',
    every: '1m',
    unit: null,
    enabled: false,
    nextRunAt: null,
    version: 2,
    query: body.query,
  });
  expect((await tenant.ask('PATCH', `${PATH}/patched`, { enabled: true })).body).toMatchObject({
    nextRunAt: expect.any(String),
    version: 3,
  });
  expect(await audited(body.id)).toEqual(['metric.created', 'metric.updated', 'metric.updated']);
});

test('of two people who change what they both read, the second is told; a repeated request has one effect', async () => {
  const key = { 'idempotency-key': 'saved' };
  const made = await tenant.ask('POST', PATH, aMetric({ key: 'raced' }), key);
  expect((await tenant.ask('POST', PATH, aMetric({ key: 'raced' }), key)).text).toBe(made.text);
  const match = { 'if-match': String(made.headers['etag']) };
  const answers = await Promise.all(['2m', '3m'].map((every) => tenant.ask('PATCH', `${PATH}/raced`, { every }, match)));
  expect(answers.map(({ status }) => status).sort()).toEqual([200, 412]);
  expectProblem(await tenant.ask('DELETE', `${PATH}/raced`, undefined, match), 'version_mismatch', 412);
  expect((await tenant.ask('DELETE', `${PATH}/raced`)).status).toBe(204);
  expectProblem(await tenant.ask('DELETE', `${PATH}/raced`), 'not_found', 404);
  expect(await audited(made.body.id)).toEqual(['metric.created', 'metric.updated', 'metric.deleted']);
});

test('rules name it by key, are listed with it, and keep it from being deleted', async () => {
  await tenant.ask('POST', PATH, aMetric({ key: 'backlog', unit: 'issues' }));
  expect(expectProblem(await tenant.ask('POST', '/rules', aRule(over('backlg'))), 'invalid', 422).errors?.[0]).toMatchObject({
    pointer: '/condition/metric',
    message: expect.stringContaining("Did you mean 'backlog'?"),
  });
  const made = await tenant.ask('POST', '/rules', aRule({ key: 'too-many', ...over('backlog') }));
  expect(made.status, made.text).toBe(201);
  expect(Rule.parse(made.body)).toMatchObject({
    condition: { metric: 'backlog', aggregation: 'last', unit: 'issues' },
    description: 'Warning when the latest backlog is above 5 issues over 10m.',
  });
  await tenant.ask(
    'PUT',
    '/rules/by-key/also',
    aRule({ condition: { all: [{ not: over('backlog')['condition' as never] }, over('latency')['condition' as never]] } }),
  );
  await tenant.ask('POST', '/rules', aRule({ key: 'by-dim', ...over('latency', { where: { metric: 'backlog' } }) }));
  expect((await tenant.ask('PATCH', `/rules/${made.body.id}`, { cooldown: '5m' })).body).toMatchObject({ version: 2 });

  const first = pageOf(Rule).parse((await tenant.ask('GET', `${PATH}/backlog/rules?limit=1`)).body);
  const second = pageOf(Rule).parse((await tenant.ask('GET', `${PATH}/backlog/rules?limit=1&cursor=${first.nextCursor}`)).body);
  expect([...first.data, ...second.data].map(({ key }) => key)).toEqual(['also', 'too-many']);
  expect(second.nextCursor).toBeNull();

  const refused = expectProblem(await tenant.ask('DELETE', `${PATH}/backlog`), 'metric_in_use', 409);
  expect(refused.detail).toBe("It is looked at by the rules 'also', 'too-many'.");
  expectProblem(await tenant.ask('PATCH', `${PATH}/backlog`, { unit: 'tickets' }), 'metric_in_use', 409);
  expect((await tenant.ask('PATCH', `${PATH}/backlog`, { every: '5m' })).status).toBe(200);

  for (const rule of ['also', 'too-many']) {
    const { body } = await tenant.ask('GET', `/rules/by-key/${rule}`);
    await tenant.ask('DELETE', `/rules/${body.id}`);
  }
  expect((await tenant.ask('DELETE', `${PATH}/backlog`)).status).toBe(204);
  expectProblem(await tenant.ask('POST', '/rules', aRule(over('backlog'))), 'invalid', 422);
});

test('a rule and a deletion at the same moment: one of them is refused', async () => {
  for (let round = 0; round < 5; round += 1) {
    const key = `fought-${round}`;
    await tenant.ask('POST', PATH, aMetric({ key }));
    const [rule, deletion] = await Promise.all([
      tenant.ask('POST', '/rules', aRule({ key, ...over(key) })),
      tenant.ask('DELETE', `${PATH}/${key}`),
    ]);
    expect([`${rule.status} ${deletion.status}`]).toEqual([expect.stringMatching(/^(201 409|422 204)$/)]);
  }
});

test('another tenant has none of it', async () => {
  const stranger = await world.tenant();
  await tenant.ask('POST', PATH, aMetric({ key: 'ours' }));
  expect((await stranger.ask('GET', PATH)).body.data).toEqual([]);
  expectProblem(await stranger.ask('POST', '/rules', aRule(over('ours'))), 'invalid', 422);
  expectProblem(
    await stranger.ask('POST', '/metrics/query', { metric: 'ours', window: '5m', from: 0, to: 60_000, step: '1m' }),
    'invalid',
    422,
  );
  expect((await tenant.ask('POST', '/metrics/query', { metric: 'ours', window: '5m', from: 0, to: 60_000, step: '1m' })).status).toBe(200);
});

test('nobody sends what a saved metric would have recorded', async () => {
  const { body } = await tenant.ask('POST', '/events', { events: [{ name: 'metric.ours', measures: { value: 1 } }] });
  expect(body).toMatchObject({ accepted: 0, rejected: [{ code: 'reserved_name', message: expect.stringContaining('saved metrics') }] });
});

test('a tenant has at most a thousand', async () => {
  const full = await world.tenant();
  await full.ask('POST', PATH, aMetric({ key: 'first' }));
  await withTenantsSql(
    world.services.db,
    [full.tenantId],
    (sql) => sql`
      insert into metric_definitions (tenant_id, id, key, name, query, every_ms, evaluation_delay_ms, created_by, updated_by)
      select tenant_id, gen_random_uuid(), 'copy-' || n, name, query, every_ms, evaluation_delay_ms, 'me', 'me' from metric_definitions, generate_series(1, 998) n`,
  );
  const both = await Promise.all(['a', 'b'].map((key) => full.ask('POST', PATH, aMetric({ key }))));
  expect(both.map(({ status }) => status).sort()).toEqual([201, 422]);
  expectProblem(await full.ask('POST', PATH, aMetric({ key: 'c' })), 'bound_exceeded', 422);
});
