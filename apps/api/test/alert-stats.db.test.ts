import { AlertStats, MissedAlert } from '@tocsin/contracts';
import { insertDeliveries, newId } from '@tocsin/db';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { alertActors } from './alert-actors.ts';
import { type Actor, expectProblem, openWorld, type World } from './open-world.ts';

let world: World;
beforeAll(async () => {
  world = await openWorld();
});
afterAll(() => world.close());

const DAY_MS = 86_400_000;
const MINUTE = 60_000;
const NOON = Date.UTC(2026, 10, 20, 12);
const RANGE = `from=${NOON - DAY_MS}&to=${NOON + DAY_MS}`;

const statsOf = async (tenant: Actor, query: string): Promise<AlertStats> => {
  const answer = await tenant.ask('GET', `/alerts/stats?${query}`);
  expect(answer.status, answer.text).toBe(200);
  return AlertStats.parse(answer.body);
};

test('of no alerts there are zeros, and no shares or times', async () => {
  const tenant = await world.tenant('Empty');
  const stats = await statsOf(tenant, '');
  expect(stats).toMatchObject({
    total: 0,
    open: 0,
    critical: 0,
    resolved: 0,
    resolutionRate: null,
    detectionDelayMs: { p50: null, p95: null },
    openBySeverity: { info: 0, warning: 0, error: 0, critical: 0 },
    perDay: [],
    mttaMs: null,
    mttrMs: null,
    noisiestRules: [],
    autoResolvedUnder2mShare: null,
    deliveries: [],
    falsePositives: 0,
    falseNegatives: 0,
  });
  expect(Date.parse(stats.to) - Date.parse(stats.from)).toBe(30 * DAY_MS);
});

test('alerts are counted by how they came, were handled and ended', async () => {
  const tenant = await world.tenant();
  const actors = await alertActors(world, tenant);
  const { inTenant } = actors;
  const open = (minute: number, severity: 'warning' | 'critical' = 'warning'): Promise<string> =>
    actors.open('m', { severity, startedMs: NOON + minute * MINUTE, breachedMs: NOON + (minute - 1) * MINUTE });
  const at = (minute: number) => new Date(NOON + minute * MINUTE).toISOString();
  const ids = [await open(0), await open(1), await open(2), await open(3, 'critical'), await open(4, 'critical')];
  await inTenant((sql) => sql`update alerts set opened_at = started_at + interval '5 seconds'`);
  const end = (id: string, minute: number, reason: string, by: string | null) =>
    inTenant(
      (sql) => sql`
      update alerts set status = 'resolved', resolved_at = ${at(minute)}::timestamptz, resolve_reason = ${reason}, resolved_by = ${by} where id = ${id}`,
    );
  await end(ids[0]!, 1, 'recovered', null);
  await end(ids[1]!, 11, 'recovered', null);
  await end(ids[2]!, 3, 'manual', 'ann');
  await inTenant(
    (sql) =>
      sql`update alerts set acknowledged_at = started_at + interval '2 minutes', acknowledged_by = 'ann' where id = any(${[ids[1]!, ids[3]!]}::uuid[])`,
  );
  await tenant.ask('PUT', `/alerts/${ids[0]}/noise`);
  await tenant.ask('POST', '/alerts/missed', { from: NOON - 60 * MINUTE, to: NOON, labels: {} });
  const delivery = {
    tenantId: tenant.tenantId,
    triggerId: null,
    alertId: ids[0]!,
    channelId: null,
    channelKey: 'hook',
    channelKind: 'webhook',
    kind: 'fired' as const,
    suppressed: null,
    lifetimeMs: 60_000,
    body: null,
    first: null,
  };
  const sent = [newId(), newId(), newId(), newId()];
  await inTenant((sql) =>
    insertDeliveries(
      sql,
      sent.map((id) => ({ ...delivery, id })),
    ),
  );
  await inTenant(async (sql) => {
    await sql`update deliveries set created_at = ${at(0)}::timestamptz`;
    await sql`update deliveries set status = 'delivered', finished_at = created_at + interval '2 seconds' where id = any(${sent.slice(0, 3)}::uuid[])`;
    await sql`update deliveries set status = 'dead', finished_at = created_at where id = ${sent[3]!}`;
  });

  const stats = await statsOf(tenant, RANGE);
  expect(stats).toMatchObject({
    total: 5,
    open: 2,
    critical: 2,
    resolved: 3,
    resolutionRate: 0.6,
    detectionDelayMs: { p50: 65_000, p95: 65_000 },
    openBySeverity: { info: 0, warning: 0, error: 0, critical: 2 },
    perDay: [{ day: '2026-11-20', fired: 5, resolved: 3 }],
    mttaMs: 2 * MINUTE,
    mttrMs: 4 * MINUTE,
    autoResolvedUnder2mShare: 0.5,
    falsePositives: 1,
    falseNegatives: 1,
  });
  expect(stats.noisiestRules).toEqual([
    { rule: { id: actors.ruleId, key: 'slow', name: 'Slow calls' }, alerts: 5, autoResolvedUnder2m: 1, noise: 1 },
  ]);
  expect(stats.deliveries).toEqual([
    {
      channel: 'hook',
      kind: 'webhook',
      delivered: 3,
      dead: 1,
      suppressed: 0,
      underWay: 0,
      waiting: 0,
      successRate: 0.75,
      latencyMs: { p50: 2_000, p95: 2_000 },
    },
  ]);
  expect(await statsOf(tenant, `from=${NOON + 2 * MINUTE}&to=${NOON + 3 * MINUTE}`)).toMatchObject({
    total: 1,
    resolved: 1,
    resolutionRate: 1,
  });
  expect(await statsOf(await world.tenant('Other'), RANGE)).toMatchObject({ total: 0, falseNegatives: 0, deliveries: [] });
});

test.each(['from=noon', 'to=1&from=2', 'from=1&to=1', 'day=1'])('%s is refused', async (query) => {
  expectProblem(await (await world.tenant('Refused')).ask('GET', `/alerts/stats?${query}`), 'invalid', 422);
});

test('trouble that no alert told of is reported, and the answer asks for a backtest that can be run', async () => {
  const tenant = await world.tenant('Missed');
  const { ruleId } = await alertActors(world, tenant);
  const report = { from: '2026-11-20T10:00:00Z', to: '2026-11-20T11:00:00Z', labels: { model: 'a' }, note: 'customers called', ruleId };
  const answer = await tenant.ask('POST', '/alerts/missed', report);
  expect(answer.status).toBe(201);
  const missed = MissedAlert.parse(answer.body);
  expect(missed).toMatchObject({ labels: { model: 'a' }, note: 'customers called', ruleId, from: '2026-11-20T10:00:00.000Z' });
  const backtest = await tenant.ask('POST', missed.backtest.path.slice('/api/v1'.length), missed.backtest.body);
  expect(backtest.status, backtest.text).toBe(200);
  const without = MissedAlert.parse((await tenant.ask('POST', '/alerts/missed', { ...report, ruleId: undefined })).body);
  expect(without.backtest.path).toBe('/api/v1/rules/preview');
  const draft = { name: 'Draft', condition: { metric: 'latency', window: '5m', operator: '>', threshold: 1 } };
  expect((await tenant.ask('POST', '/rules/preview', { ...without.backtest.body, rule: draft })).status).toBe(200);
});

test.each<[object, string]>([
  [{ from: 2, to: 1 }, '/to'],
  [{ from: 0, to: 31 * DAY_MS }, '/to'],
  [{ to: 1 }, '/from'],
  [{ from: 0, to: 1, labels: { a: 1 } }, '/labels/a'],
  [{ from: 0, to: 1, ruleId: newId() }, '/ruleId'],
  [{ from: 0, to: 1, why: 'x' }, '/why'],
])('a report of %j is refused at %s', async (body, pointer) => {
  const { errors } = expectProblem(await (await world.tenant('Reports')).ask('POST', '/alerts/missed', body), 'invalid', 422);
  expect(errors?.[0]?.pointer).toBe(pointer);
});

test("another tenant's rule is no rule, and viewers report nothing", async () => {
  const tenant = await world.tenant('Rules');
  const { ruleId } = await alertActors(world, await world.tenant('Theirs'));
  const { errors } = expectProblem(await tenant.ask('POST', '/alerts/missed', { from: 0, to: 1, ruleId }), 'invalid', 422);
  expect(errors?.[0]).toMatchObject({ pointer: '/ruleId', code: 'unknown_rule' });
  expectProblem(await (await tenant.as('viewer'))('POST', '/alerts/missed', { from: 0, to: 1 }), 'forbidden', 403);
});
