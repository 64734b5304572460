import { Event, Evaluation, IngestAnswer, MetricList, MetricRange, pageOf } from '@tocsin/contracts';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { insertSegments, newId, withTenantsSql } from '@tocsin/db';
import { encodeEvaluations, Overloaded } from '@tocsin/events';
import { type Actor, aRule, expectProblem, openWorld, type World } from './open-world.ts';

let world: World;
let tenant: Actor;

beforeAll(async () => {
  world = await openWorld();
  tenant = await world.tenant();
});
afterAll(() => world.close());

const anEvent = (changes: Record<string, unknown> = {}): Record<string, unknown> => ({
  name: 'llm.call',
  dims: { model: 'gpt-4o', status: 'ok' },
  measures: { duration_ms: 640 },
  ...changes,
});

describe('events', () => {
  test('are durable when the answer comes, and are there to be seen and queried', async () => {
    const atMs = Date.now() - 60_000;
    const sent = await tenant.ask('POST', '/events', {
      events: [anEvent({ ts: atMs }), anEvent({ ts: new Date(atMs + 1).toISOString(), measures: { duration_ms: 1_360 } })],
    });
    expect(sent.status, sent.text).toBe(202);
    expect(IngestAnswer.parse(sent.body)).toEqual({ accepted: 2, rejected: [] });

    const listed = pageOf(Event).parse((await tenant.ask('GET', '/events?name=llm.call&limit=10')).body).data;
    expect(listed.map(({ measures }) => measures['duration_ms'])).toEqual([1_360, 640]);
    const { data, catalogue } = MetricList.parse((await tenant.ask('GET', '/metrics')).body);
    expect(data).toMatchObject([{ name: 'llm.call', dims: ['model', 'status'], measures: ['duration_ms'] }]);
    expect(catalogue.map(({ metric }) => metric)).toContain('latency');

    const range = { from: new Date(atMs - 60_000).toISOString(), to: new Date(atMs + 60_000).toISOString(), step: '2m' };
    const queried = await tenant.ask('POST', '/metrics/query', {
      metric: 'latency',
      aggregation: 'avg',
      window: '2m',
      groupBy: ['model'],
      ...range,
    });
    expect(MetricRange.parse(queried.body)).toMatchObject({
      unit: 'ms',
      dropped: 0,
      series: [{ labels: { model: 'gpt-4o' }, points: [{ value: 1_000, samples: 2 }] }],
    });
  });

  test('that are bad are refused alone, each with its index and reason', async () => {
    const events = [
      anEvent(),
      anEvent({ measures: { duration_ms: 'fast' } }),
      null,
      anEvent({ ts: Date.now() + 600_000 }),
      anEvent({ name: 'a\u0000b' }),
      anEvent(),
    ];
    const { status, body } = await tenant.ask('POST', '/events', { events });
    expect([status, body.accepted]).toEqual([202, 2]);
    expect(IngestAnswer.parse(body).rejected.map(({ index }) => index)).toEqual([1, 2, 3, 4]);
    expect((await tenant.ask('POST', '/events', '{"events":[{"name":"x","measures":{"v":1e400}}]}')).body).toMatchObject({
      accepted: 0,
      rejected: [{ index: 0 }],
    });
    expect(
      (await tenant.ask('POST', '/events', `{"events":[{"name":"x","dims":{"a":${'['.repeat(1_000)}${']'.repeat(1_000)}}}]}`)).body,
    ).toMatchObject({ accepted: 0 });
  });

  test('come as lines too, and a line that is no JSON is refused alone', async () => {
    const lines = [JSON.stringify(anEvent()), '{"name":', '', JSON.stringify(anEvent()), '{"name":"x","__proto__":{}}'].join('\n');
    const { status, body } = await tenant.ask('POST', '/events', lines, { 'content-type': 'application/x-ndjson' });
    expect([status, body.accepted]).toEqual([202, 2]);
    expect(body.rejected).toMatchObject([
      { index: 1, message: 'the line is not JSON' },
      { index: 3, message: 'the line is not JSON' },
    ]);
  });

  test('in a body that is none are a 4xx that says what is wrong', async () => {
    for (const body of ['[]', 'null', '{}', '{"events":{}}', '{"events":null}', '{"event":[]}', '{"events":[],"tenantId":"x"}']) {
      expectProblem(await tenant.ask('POST', '/events', body), 'invalid', 422);
    }
    for (const body of [
      '',
      '{',
      '{"events":[{"__proto__":{"x":1}}]}',
      '{"events":[{"name":"x","dims":{"constructor":{"prototype":{}}}}]}',
    ]) {
      expectProblem(await tenant.ask('POST', '/events', body), 'bad_json', 400);
    }
    const many = { events: Array.from({ length: 5_001 }, () => 0) };
    expect(expectProblem(await tenant.ask('POST', '/events', many), 'too_large', 413).detail).toContain('5001');
    expect((await tenant.ask('POST', '/events', { events: [] })).body).toEqual({ accepted: 0, rejected: [] });
  });

  test('sent again with the same key are counted once', async () => {
    const headers = { 'idempotency-key': 'batch-1' };
    const events = [anEvent({ name: 'idempotent' })];
    const [first, again] = [
      await tenant.ask('POST', '/events', { events }, headers),
      await tenant.ask('POST', '/events', { events }, headers),
    ];
    expect([first?.status, again?.text, again?.headers['idempotent-replayed']]).toEqual([202, first?.text, 'true']);
    expect((await tenant.ask('GET', '/events?name=idempotent')).body.data).toHaveLength(1);
    expectProblem(await tenant.ask('POST', '/events', { events: [anEvent()] }, headers), 'idempotency_mismatch', 422);
  });

  test('that cannot be stored now are a 503 with the time to come back', async () => {
    const full = await openWorld({ events: { ...world.services.events, ingest: () => Promise.reject(new Overloaded('full', 2_500)) } });
    const actor = await full.tenant();
    const answer = await actor.ask('POST', '/events', { events: [anEvent()] });
    expectProblem(answer, 'unavailable', 503);
    expect(answer.headers['retry-after']).toBe('3');
    await full.close();
  });

  test('queries are checked like a rule’s comparison', async () => {
    const range = { from: Date.now() - 3_600_000, to: Date.now(), step: '5m' };
    const typo = expectProblem(await tenant.ask('POST', '/metrics/query', { metric: 'latenzy', window: '5m', ...range }), 'invalid', 422);
    expect(typo.errors?.[0]).toMatchObject({ pointer: '/metric', message: expect.stringContaining("Did you mean 'latency'?") });
    for (const wrong of [
      { step: '0s' },
      { step: 'x' },
      { step: '1s' },
      { to: 0 },
      { from: 'yesterday' },
      { threshold: 1 },
      { window: undefined },
    ]) {
      expectProblem(await tenant.ask('POST', '/metrics/query', { metric: 'latency', window: '5m', ...range, ...wrong }), 'invalid', 422);
    }
    expectProblem(await tenant.ask('GET', '/events?from=5&to=4'), 'invalid', 422);
    expectProblem(await tenant.ask('GET', '/events?cursor=x'), 'invalid', 422);
  });
});

test('a rule’s evaluations are listed as they were found, newest slot first', async () => {
  const { body: rule } = await tenant.ask('POST', '/rules', aRule({ key: 'looked-at' }));
  const path = `/rules/${rule.id}/evaluations`;
  expect(pageOf(Evaluation).parse((await tenant.ask('GET', path)).body)).toEqual({ data: [], nextCursor: null });
  for (const query of ['cursor=x', 'cursor=', 'limit=0', 'from=then', 'to=NaN'])
    expectProblem(await tenant.ask('GET', `${path}?${query}`), 'invalid', 422);

  const slotMs = Math.floor(Date.now() / 60_000) * 60_000 - 120_000;
  const runId = newId();
  const row = {
    ruleId: rule.id as string,
    runId,
    slotMs,
    evaluatedAtMs: slotMs + 42,
    seriesKey: '{"model":"a"}',
    labels: { model: 'a' },
    value: 2_000.5,
    threshold: 1_000,
    operator: '>',
    triggered: true,
    samples: 3,
    comparison: 0,
    origin: null,
    windowFromMs: slotMs - 310_000,
    windowToMs: slotMs - 10_000,
    durationMs: 7.25,
    outcome: 'suppressed',
    reason: 'cooldown',
    severity: 'warning',
    version: 1,
  } as const;
  const nothing = {
    value: null,
    threshold: null,
    operator: null,
    triggered: false,
    samples: 0,
    outcome: 'no_data',
    severity: null,
  } as const;
  for (const found of [row, { ...row, ...nothing, slotMs: slotMs + 60_000, reason: 'no_data_kept' }]) {
    const segments = encodeEvaluations(tenant.tenantId, [found]);
    await withTenantsSql(world.services.db, [tenant.tenantId], (sql) => insertSegments(sql, segments));
  }
  const [newest, oldest] = pageOf(Evaluation).parse((await tenant.ask('GET', path)).body).data;
  const at = (ms: number): string => new Date(ms).toISOString();
  expect(newest).toMatchObject({ ...nothing, slot: at(slotMs + 60_000), reason: 'no_data_kept' });
  expect(oldest).toEqual({
    runId,
    slot: at(slotMs),
    evaluatedAt: at(slotMs + 42),
    series: { model: 'a' },
    value: 2_000.5,
    threshold: 1_000,
    operator: '>',
    triggered: true,
    samples: 3,
    windowStart: at(slotMs - 310_000),
    windowEnd: at(slotMs - 10_000),
    durationMs: 7.25,
    outcome: 'suppressed',
    reason: 'cooldown',
    severity: 'warning',
    origin: null,
    why: null,
    ruleVersion: 1,
  });
  expect((await tenant.ask('GET', `${path}?to=${at(slotMs + 1)}`)).body.data).toEqual([oldest]);
});
