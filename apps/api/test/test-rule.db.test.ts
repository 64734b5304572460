import { Evaluation, pageOf, RuleTest, type ComparisonTrace, type RuleTrace } from '@tocsin/contracts';
import { withTenantsSql } from '@tocsin/db';
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { type LiveWorld, openLiveWorld, quickRule } from './open-live-world.ts';
import { type Actor, type Answer, expectProblem } from './open-world.ts';

let world: LiveWorld;
let tenant: Actor;
beforeAll(async () => {
  world = await openLiveWorld();
});
afterAll(() => world.close());
beforeEach(async () => {
  world.services.db.clock.shiftMs = 0;
  tenant = await world.tenant();
});

const tested = (answer: Answer): RuleTest => {
  expect(answer.status, answer.text).toBe(200);
  return RuleTest.parse(answer.body);
};
const leaves = (node: RuleTrace): ComparisonTrace[] =>
  node.kind === 'comparison' ? [node] : node.kind === 'not' ? leaves(node.child) : node.children.flatMap(leaves);

/** How many rows each table has of the tenant, and a digest of them; the last use of a key apart, which reading notes too. */
async function rowsOfAll(): Promise<Record<string, string>> {
  return withTenantsSql(world.services.db, [tenant.tenantId], async (sql) => {
    const tables = await sql<{ name: string }[]>`
      select c.relname as name from pg_class c where c.relnamespace = 'tocsin'::regnamespace and c.relkind in ('r', 'p') and not c.relispartition
        and has_table_privilege(c.oid, 'select')
      order by 1`;
    const found: Record<string, string> = {};
    for (const { name } of tables) {
      const [row] = await sql<{ rows: string }[]>`
        select count(*) || ' ' || coalesce(md5(string_agg((to_jsonb(t) - 'last_used_at')::text, ',' order by to_jsonb(t)::text)), '') as rows from ${sql(name)} t`;
      found[name] = row!.rows;
    }
    return found;
  });
}

test('what it traces is what the evaluator then records of the same slot, series by series', async () => {
  const { body: rule } = await tenant.ask('POST', '/rules', quickRule({ groupBy: ['model'] }, { minSamples: 2 }));
  await world.slotWith(tenant, [50, 60], { model: 'a' });
  const slotMs = await world.reachSlot(tenant);
  await world.send(tenant, slotMs, [2_000, 3_000], { model: 'a' });
  await world.send(tenant, slotMs, [9_000], { model: 'b' });
  await world.send(tenant, slotMs, [5, 7, 9], { model: 'c' });
  const found = tested(await tenant.ask('POST', `/rules/${rule.id}/test`));
  expect(found).toMatchObject({ at: new Date(slotMs).toISOString(), ruleVersion: 1, health: 'ok', errors: [], simulation: null });
  expect(found.counts).toEqual({ breach: 1, clear: 1, unknown: 1, not_ready: 0, failed: 0, untraced: 0, dropped: 0 });

  await world.evaluate(tenant);
  const at = new Date(slotMs).toISOString();
  const { data } = pageOf(Evaluation).parse((await tenant.ask('GET', `/rules/${rule.id}/evaluations?from=${at}`)).body);
  const recorded = data.map(({ series, value, threshold, samples, reason, windowStart, windowEnd, triggered }) => ({
    series,
    value,
    threshold,
    samples,
    reason,
    windowStart,
    windowEnd,
    triggered,
  }));
  const traced = found.series.map(({ labels, trace, verdict, wouldBe: { reason } }) => {
    const { value, threshold, samples, window } = leaves(trace)[0]!;
    return {
      series: labels,
      value,
      threshold,
      samples,
      reason,
      windowStart: window?.from,
      windowEnd: window?.to,
      triggered: verdict === 'breach',
    };
  });
  const byModel = (a: { series: Record<string, string> }, b: typeof a): number =>
    (a.series['model'] ?? '') < (b.series['model'] ?? '') ? -1 : 1;
  expect(traced.toSorted(byModel)).toEqual(recorded.toSorted(byModel));
  expect(recorded).toHaveLength(3);
});

test('it changes nothing: no row of any table, no message', async () => {
  await tenant.ask('POST', '/channels', { key: 'in', name: 'In', kind: 'inbox' });
  const { body: rule } = await tenant.ask('POST', '/rules', quickRule({ notify: ['in'] }));
  await world.send(tenant, Date.now(), [5_000]);
  const before = await rowsOfAll();
  expect(Object.keys(before).length).toBeGreaterThan(12);
  for (const path of [`/rules/${rule.id}/test`, `/rules/${rule.id}/test?simulate=9000`])
    expect(tested(await tenant.ask('POST', path, undefined, { 'idempotency-key': 'same' })).series).toHaveLength(1);
  for (const path of ['/rules/test', '/rules/test?simulate=9000'])
    expect(tested(await tenant.ask('POST', path, quickRule({ notify: ['in'] }))).ruleVersion).toBeNull();
  expect(await rowsOfAll()).toEqual(before);
});

test('a stored rule is looked at from where its series stand, a draft as if for the first time', async () => {
  const { body: rule } = await tenant.ask('POST', '/rules', quickRule({}, { recover: 500 }));
  await world.slotWith(tenant, [2_000]);
  await world.send(tenant, await world.reachSlot(tenant), [700]);
  const [stored] = tested(await tenant.ask('POST', `/rules/${rule.id}/test`)).series;
  expect(stored).toMatchObject({
    verdict: 'breach',
    wouldBe: { phaseBefore: 'firing', phase: 'firing', reason: 'still_firing', change: null },
    trace: { value: 700, threshold: 1_000, holds: true },
  });
  const [draft] = tested(await tenant.ask('POST', '/rules/test', quickRule({}, { recover: 500 }))).series;
  expect(draft).toMatchObject({ verdict: 'clear', wouldBe: { phaseBefore: 'ok', phase: 'ok', reason: 'clear' }, trace: { holds: false } });
});

test('every node of the tree says true, false or that nobody can say', async () => {
  const condition = {
    any: [
      {
        all: [
          { metric: 'latency', window: '10s', operator: '>', threshold: 10 },
          { metric: 'cost', aggregation: 'max', window: '10s', operator: '>', threshold: 1 },
        ],
      },
      { not: { name: 'call', window: '10s', operator: '>', threshold: 0 } },
    ],
  };
  await world.send(tenant, Date.now(), [700]);
  const [only] = tested(await tenant.ask('POST', '/rules/test', { name: 'Tree', condition })).series;
  expect(only?.trace).toMatchObject({
    kind: 'any',
    holds: null,
    children: [
      {
        kind: 'all',
        holds: null,
        children: [
          { holds: true, value: 700 },
          { holds: null, why: 'there is no reading' },
        ],
      },
      { kind: 'not', holds: false, child: { holds: true, value: 1, metric: 'events' } },
    ],
  });
});

test('the past a draft looks at and compares with is worked out at once, and not kept', async () => {
  const [hours, everyMs] = [60, 600_000];
  const now = Date.now();
  const events = Array.from({ length: (hours * 3_600_000) / everyMs }, (_, index) => ({
    ts: now - 20_000 - index * everyMs,
    name: 'call',
    measures: { duration_ms: 100 },
  }));
  await world.services.events.ingest(tenant.tenantId, events);
  const threshold = { baseline: { multiplier: 2, lookback: '2d', season: 'none' } };
  const [only] = tested(await tenant.ask('POST', '/rules/test?simulate=250', quickRule({}, { window: '10m', threshold }))).series;
  expect(only?.trace).toMatchObject({
    value: 100,
    threshold: 200,
    holds: false,
    origin: { kind: 'baseline', baseline: 100, multiplier: 2 },
    why: 'the median at any hour is 100 ms, times 2',
  });
  const before = await rowsOfAll();
  const long = tested(await tenant.ask('POST', '/rules/test', quickRule({}, { window: '2d', aggregation: 'count', threshold: 10 })));
  expect(long.series[0]).toMatchObject({ verdict: 'breach', trace: { holds: true, samples: 288, value: 288 } });
  expect(await rowsOfAll()).toEqual(before);
});

test('of very many series the worst hundred are traced, the others counted', async () => {
  const slotMs = Date.now();
  for (let user = 0; user < 120; user += 1) await world.send(tenant, slotMs, [user * 10], { user: `u${user}` });
  const found = tested(await tenant.ask('POST', '/rules/test', quickRule({ groupBy: ['user'] })));
  expect(found.counts).toMatchObject({ breach: 19, clear: 101, untraced: 20 });
  expect(found.series).toHaveLength(100);
  expect(found.series[0]?.labels).toEqual({ user: 'u119' });
});

test('a query that fails is told as an error, and says nothing of the series', async () => {
  const { events } = world.services;
  const { sourceNow } = events;
  const away = { kind: 'failed', code: 'source_down', message: 'it is away' } as const;
  events.sourceNow = { read: async (requests) => requests.map(({ queries }) => queries.map(() => away)) };
  try {
    const found = tested(await tenant.ask('POST', '/rules/test', quickRule()));
    expect(found).toMatchObject({ health: 'error', errors: [{ code: 'source_down', message: 'it is away' }] });
    expect(found.series[0]).toMatchObject({
      verdict: 'failed',
      wouldBe: { reason: 'error_kept' },
      trace: { holds: null, why: 'it could not be read' },
    });
  } finally {
    events.sourceNow = sourceNow;
  }
});

describe('a made-up reading', () => {
  const SECRETS = ['whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw', 'Bearer not-to-be-seen', 'T000/B000/not-to-be-seen'];
  const openChannels = async (): Promise<void> => {
    const url = `${world.receiver.url}/in`;
    const [secret, authorization, path] = SECRETS;
    for (const channel of [
      { key: 'hook', name: 'Hook', kind: 'webhook', config: { url, secret, headers: { authorization } } },
      { key: 'slack', name: 'Slack', kind: 'slack', config: { webhookUrl: `${world.receiver.url}/services/${path}` } },
      { key: 'in', name: 'In', kind: 'inbox' },
      { key: 'off', name: 'Off', kind: 'inbox', enabled: false },
    ])
      expect((await tenant.ask('POST', '/channels', channel)).status).toBe(201);
  };
  const notify = ['hook', 'slack', 'in', 'off', { channel: 'in-the-morning', minSeverity: 'info' }];
  const draft = (): Record<string, unknown> =>
    quickRule({
      notify,
      for: '20s',
      severity: 'error',
      labels: { team: 'payments' },
      annotations: { summary: 'It is {{ value }} on {{ labels.team }}' },
    });

  test('is walked step by step, and every channel says what it would get, without its secrets', async () => {
    await openChannels();
    const answer = await tenant.ask('POST', '/rules/test?simulate=2480', draft());
    const { simulation } = tested(answer);
    expect(simulation?.steps.map(({ afterMs, phase, reason, change }) => [afterMs / 1_000, phase, reason, change?.kind ?? null])).toEqual([
      [0, 'pending', 'breach', null],
      [10, 'pending', 'holding', null],
      [20, 'firing', 'fired', 'fired'],
      [30, 'ok', 'resolved', 'resolved'],
    ]);
    const messages = simulation?.messages ?? [];
    expect(messages.map(({ kind, channel, channelKind, suppressed }) => [kind, channel, channelKind, suppressed])).toEqual(
      ['fired', 'resolved'].flatMap((kind) => [
        [kind, 'hook', 'webhook', null],
        [kind, 'slack', 'slack', null],
        [kind, 'in', 'inbox', null],
        [kind, 'off', 'inbox', 'channel_disabled'],
        [kind, 'in-the-morning', null, 'channel_missing'],
      ]),
    );
    const [hook, slack, inbox, off] = messages;
    expect(JSON.parse(hook?.body ?? '')).toMatchObject({
      type: 'alert.fired',
      tenant: { id: tenant.tenantId },
      data: {
        alert: { value: 2_480, threshold: 1_000, severity: 'error', labels: { team: 'payments' } },
        context: { summary: 'It is 2,480 ms on payments' },
      },
    });
    expect(slack?.body).toContain('Error · Slow calls');
    expect(JSON.parse(inbox?.body ?? '')).toMatchObject({
      title: 'Error · Slow calls',
      text: 'p95 latency is 2,480 ms (limit > 1,000 ms)',
    });
    expect(off?.body).toBeNull();
    for (const secret of SECRETS) expect(answer.text).not.toContain(secret);
    expect(world.receiver.requests).toEqual([]);
  });

  test('that does not breach tells nobody', async () => {
    const { simulation } = tested(await tenant.ask('POST', '/rules/test?simulate=10', quickRule()));
    expect(simulation).toMatchObject({ steps: [{ phase: 'ok', reason: 'clear' }], messages: [] });
  });

  test('of a shadow rule tells nobody either, and says so', async () => {
    await openChannels();
    const { simulation } = tested(await tenant.ask('POST', '/rules/test?simulate=9000', quickRule({ notify: ['in'], mode: 'shadow' })));
    expect(simulation?.messages.map(({ suppressed }) => suppressed)).toEqual(['shadow', 'shadow']);
  });

  test.each([
    ['?simulate=lots', '?simulate'],
    ['?simulate=1e999', '?simulate'],
    ['?simulate=NaN', '?simulate'],
    ['?simulate=5&comparison=1', '?comparison'],
    ['?simulate=5&comparison=-1', '?comparison'],
    ['?simulat=5', '?simulat'],
  ])('that is %s is refused by its place', async (query, pointer) => {
    const problem = expectProblem(await tenant.ask('POST', `/rules/test${query}`, quickRule()), 'invalid', 422);
    expect(problem.errors?.[0]?.pointer).toBe(pointer);
  });
});

test('a draft with faults is refused by its places, and a rule that cannot be read as that', async () => {
  const problem = expectProblem(await tenant.ask('POST', '/rules/test', quickRule({}, { operator: '=>' })), 'invalid', 422);
  expect(problem.errors?.[0]?.pointer).toBe('/condition/operator');
  const { body: rule } = await tenant.ask('POST', '/rules', quickRule());
  await withTenantsSql(
    world.services.db,
    [tenant.tenantId],
    (sql) => sql`update rules set spec = '{"new": "words"}' where id = ${rule.id}`,
  );
  expectProblem(await tenant.ask('POST', `/rules/${rule.id}/test`), 'rule_unreadable', 409);
});

test('whoever may read rules may test them; of another tenant’s there is none', async () => {
  const { body: rule } = await tenant.ask('POST', '/rules', quickRule());
  const viewer = await tenant.as('viewer');
  expect((await viewer('POST', `/rules/${rule.id}/test`)).status).toBe(200);
  expect((await viewer('POST', '/rules/test', quickRule())).status).toBe(200);
  const other = await world.tenant('Other');
  expectProblem(await other.ask('POST', `/rules/${rule.id}/test?simulate=5`), 'not_found', 404);
});
