import { RuleExplanation } from '@tocsin/contracts';
import { withTenantsSql } from '@tocsin/db';
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { type LiveWorld, openLiveWorld, quickRule } from './open-live-world.ts';
import { type Actor, expectProblem } from './open-world.ts';

let world: LiveWorld;
let tenant: Actor;
beforeAll(async () => {
  world = await openLiveWorld();
});
afterAll(() => world.close());
beforeEach(async () => {
  world.services.db.clock.shiftMs = 0;
  world.receiver.respondWith(() => ({ status: 200, body: 'thank you' }));
  tenant = await world.tenant();
});

const time = (ms: number): string => new Date(ms).toISOString();

async function explained(ruleId: string, query = ''): Promise<RuleExplanation> {
  const answer = await tenant.ask('GET', `/rules/${ruleId}/explain${query}`);
  expect(answer.status, answer.text).toBe(200);
  return RuleExplanation.parse(answer.body);
}
const only = ({ series }: RuleExplanation): RuleExplanation['series'][number] => {
  expect(series).toHaveLength(1);
  return series[0]!;
};

async function made(changes: Record<string, unknown> = {}, condition: Record<string, unknown> = {}): Promise<string> {
  const answer = await tenant.ask('POST', '/rules', quickRule(changes, condition));
  expect(answer.status, answer.text).toBe(201);
  return answer.body.id;
}

test('what fired: with its numbers, where it stood, who was told and how each attempt went', async () => {
  await tenant.ask('POST', '/channels', { key: 'hook', name: 'Hook', kind: 'webhook', config: { url: `${world.receiver.url}/in` } });
  await tenant.ask('POST', '/channels', { key: 'in', name: 'In', kind: 'inbox' });
  const ruleId = await made({ notify: ['hook', { channel: 'in', minSeverity: 'critical' }] });
  const first = await world.slotWith(tenant, [50]);
  const slotMs = await world.slotWith(tenant, [1_500, 2_000]);
  const found = await explained(ruleId);
  expect(found).toMatchObject({
    rule: { id: ruleId, key: 'quick' },
    slot: time(slotMs),
    evaluated: true,
    ruleVersion: 1,
    currentVersion: 1,
    nearest: { before: time(first), after: null },
    skipped: null,
    more: 0,
  });
  const series = only(found);
  expect(series).toMatchObject({
    labels: {},
    recorded: {
      value: 1_975,
      threshold: 1_000,
      samples: 2,
      outcome: 'fired',
      reason: 'fired',
      severity: 'warning',
      windowEnd: time(slotMs - 10_000),
    },
    now: { value: 1_975, samples: 2, verdict: 'breach' },
    difference: null,
    state: { before: 'ok', after: 'firing' },
    trace: { kind: 'comparison', holds: true, value: 1_975 },
  });
  const [told] = series.told;
  expect(told).toMatchObject({ kind: 'fired', status: 'planned', reason: null });
  const deliveries = told?.deliveries.toSorted((a, b) => (a.channel.key < b.channel.key ? -1 : 1));
  expect(deliveries).toMatchObject([
    { channel: { key: 'hook' }, status: 'delivered', attemptLog: [{ number: 1, outcome: 'delivered', statusCode: 200 }] },
    { channel: { key: 'in' }, status: 'suppressed', reason: 'below_min_severity', attemptLog: [] },
  ]);
  expect(series.text).toMatch(
    /^p95 latency over 10s was 1,975 ms \(limit > 1,000 ms\), of 2 samples\. It fired: an alert opened\. The series went from ok to firing\. Read again, its window says the same\. Told as fired: /,
  );
  expect(series.text).toContain('hook delivered');
  expect(series.text).toContain('in suppressed (below_min_severity)');
});

test('what was tried in vain: each attempt with its status and what the receiver said', async () => {
  world.receiver.respondWith(() => ({ status: 410, body: 'moved out' }));
  await tenant.ask('POST', '/channels', { key: 'hook', name: 'Hook', kind: 'webhook', config: { url: `${world.receiver.url}/in` } });
  const ruleId = await made({ notify: ['hook'] });
  await world.slotWith(tenant, [2_000]);
  const { told, text } = only(await explained(ruleId));
  expect(told[0]?.deliveries[0]).toMatchObject({
    status: 'dead',
    attemptLog: [{ statusCode: 410, responseExcerpt: 'moved out', outcome: 'rejected' }],
  });
  expect(text).toContain('hook dead (http_410)');
});

test('what the cooldown held back', async () => {
  const ruleId = await made({ cooldown: '1h' });
  for (const durations of [[2_000], [50], [3_000]]) await world.slotWith(tenant, durations);
  const series = only(await explained(ruleId));
  expect(series).toMatchObject({
    recorded: { outcome: 'suppressed', reason: 'cooldown' },
    state: { before: 'ok', after: 'pending' },
    told: [],
  });
  expect(series.text).toContain('it had fired within the cooldown of 1h before');
});

test('too few samples, no data, and a state that stays through both', async () => {
  const ruleId = await made({}, { minSamples: 3 });
  await world.slotWith(tenant, [2_000, 2_000, 2_000]);
  const few = await world.slotWith(tenant, [2_000]);
  await world.slotWith(tenant, []);
  expect(only(await explained(ruleId))).toMatchObject({
    recorded: { outcome: 'no_data', reason: 'no_data_kept', value: null },
    state: { before: 'firing', after: 'firing' },
    trace: { holds: null, why: 'there is no reading' },
  });
  const series = only(await explained(ruleId, `?slot=${few}`));
  expect(series).toMatchObject({ recorded: { reason: 'too_few_samples', samples: 1 }, state: { before: 'firing', after: 'firing' } });
  expect(series.trace).toMatchObject({ holds: null, why: '1 sample, where 3 are needed' });
  expect(series.text).toContain('At least 3 are needed.');
});

test('late data: what was seen then, what is seen now, and that it would have fired', async () => {
  const ruleId = await made();
  const slotMs = await world.slotWith(tenant, [100]);
  await world.send(tenant, slotMs, [5_000, 5_000]);
  const series = only(await explained(ruleId));
  expect(series).toMatchObject({
    recorded: { value: 100, samples: 1, triggered: false, reason: 'clear' },
    now: { value: 5_000, samples: 3, verdict: 'breach' },
    difference: { samples: 2, value: 4_900, isVerdictOther: true },
  });
  expect(series.text).toContain(
    '2 samples came after it was evaluated: its window is now 5,000 ms, of 3 samples. By that the comparison holds.',
  );
});

test('a slot in the words of the version that was evaluated, which is not the one there is by now', async () => {
  const ruleId = await made();
  const slotMs = await world.slotWith(tenant, [2_000]);
  await tenant.ask('PATCH', `/rules/${ruleId}`, { condition: { metric: 'latency', window: '10s', operator: '>', threshold: 9_000 } });
  const found = await explained(ruleId, `?slot=${time(slotMs)}`);
  expect(found).toMatchObject({ ruleVersion: 1, currentVersion: 2 });
  expect(found.text).toContain('It was version 1 of the rule; by now there is version 2.');
  expect(only(found).trace).toMatchObject({ threshold: 1_000, holds: true });
});

test('one part of a tree whose other part decided', async () => {
  const condition = {
    all: [
      { metric: 'latency', window: '10s', operator: '>', threshold: 1_000 },
      { metric: 'latency', aggregation: 'count', window: '10s', operator: '>=', threshold: 3 },
    ],
  };
  const ruleId = (await tenant.ask('POST', '/rules', { ...quickRule(), condition })).body.id;
  await world.slotWith(tenant, [2_000]);
  expect(only(await explained(ruleId))).toMatchObject({
    recorded: { reason: 'clear' },
    trace: {
      kind: 'all',
      holds: false,
      children: [
        { holds: true, value: 2_000 },
        { holds: false, value: 1 },
      ],
    },
  });
});

test('what is recorded is of the comparison that spoke, in its own window, whatever others look at', async () => {
  const condition = {
    any: [
      { numerator: { name: 'refund' }, denominator: { name: 'sale' }, window: '10s', operator: '>', threshold: 10 },
      { metric: 'latency', window: '30s', operator: '>', threshold: 1_000 },
    ],
  };
  const ruleId = (await tenant.ask('POST', '/rules', { ...quickRule(), condition })).body.id;
  const slotMs = await world.slotWith(tenant, [2_000]);
  const series = only(await explained(ruleId));
  expect(series.recorded).toMatchObject({ value: 2_000, windowStart: time(slotMs - 40_000), windowEnd: time(slotMs - 10_000) });
  expect(series).toMatchObject({ difference: null, trace: { holds: true, children: [{ holds: null }, { value: 2_000, holds: true }] } });
  expect(series.text).toContain('p95 latency over 30s was 2,000 ms');
});

test('a threshold that moved: where it came from then is recorded, and told', async () => {
  const ruleId = await made({}, { threshold: { change: { percent: 50, versus: 'previous' } } });
  await world.slotWith(tenant, [100]);
  await world.slotWith(tenant, [400]);
  const series = only(await explained(ruleId));
  expect(series.recorded).toMatchObject({ value: 400, threshold: 150, origin: { kind: 'change', base: 100 } });
  expect(series.text).toContain('it was 100 ms in the window before: 300 % more');
  const { data } = (await tenant.ask('GET', `/rules/${ruleId}/evaluations`)).body;
  expect(data[0]).toMatchObject({
    origin: { kind: 'change', base: 100, percent: 300 },
    why: expect.stringContaining('in the window before'),
  });
  expect(data[1]).toMatchObject({ reason: 'base_missing', origin: null, why: null });
});

test('one series of many, by its labels whole or in part', async () => {
  const ruleId = await made({ groupBy: ['model', 'env'] });
  const slotMs = await world.reachSlot(tenant);
  await world.send(tenant, slotMs, [2_000], { model: 'a', env: 'prod' });
  await world.send(tenant, slotMs, [50], { model: 'b', env: 'prod' });
  await world.send(tenant, slotMs, [50], { model: 'b', env: 'dev' });
  await world.evaluate(tenant);
  expect((await explained(ruleId)).series.map(({ labels }) => labels)[0]).toEqual({ model: 'a', env: 'prod' });
  const part = await explained(ruleId, '?series=model=b');
  expect([part.series.length, part.more]).toEqual([2, 1]);
  const whole = encodeURIComponent(JSON.stringify({ model: 'b', env: 'dev' }));
  expect(only(await explained(ruleId, `?series=${whole}`)).labels).toEqual({ model: 'b', env: 'dev' });
  const nobody = await explained(ruleId, '?series=model=z');
  expect(nobody.series).toEqual([]);
  expect(nobody.text).toContain('None of them is the one asked for.');
});

describe('a slot at which the rule was not evaluated', () => {
  test('is told as skipped where it was, with how many and why, beside the nearest that were not', async () => {
    const ruleId = await made();
    const before = await world.slotWith(tenant, [50]);
    world.services.db.clock.shiftMs += 40_000;
    await world.evaluate(tenant);
    const skipped = before + 20_000;
    const found = await explained(ruleId, `?slot=${skipped}`);
    expect(found).toMatchObject({
      evaluated: false,
      series: [],
      nearest: { before: time(before), after: time(before + 40_000) },
      skipped: { from: time(before + 10_000), to: time(before + 30_000), count: 3, reason: 'missed' },
    });
    expect(found.text).toContain(
      `was skipped with the 3 slots from ${time(before + 10_000)} to ${time(before + 30_000)}: nobody was there to run it in time (missed).`,
    );
  });

  test('is told as no slot where there is none', async () => {
    const ruleId = await made();
    const slotMs = await world.slotWith(tenant, [50]);
    const found = await explained(ruleId, `?slot=${slotMs - 3_000}`);
    expect(found).toMatchObject({ evaluated: false, skipped: null, nearest: { before: null, after: time(slotMs) } });
    expect(found.text).toContain('it is not a slot of the tenant’s schedule');
  });

  test('is told as never, before the first', async () => {
    const found = await explained(await made());
    expect(found).toMatchObject({ slot: null, evaluated: false, series: [] });
    expect(found.text).toContain('has not been evaluated');
  });
});

test('what a rule refers to counts as it stood at the slot', async () => {
  const other = await made({ key: 'other' });
  const ruleId = (await tenant.ask('POST', '/rules', quickRule({ key: 'both', condition: { rule: 'other', is: 'firing' } }))).body.id;
  const slotMs = await world.slotWith(tenant, [2_000]);
  await world.slotWith(tenant, [10]);
  expect(only(await explained(ruleId, `?slot=${slotMs}`))).toMatchObject({
    recorded: { reason: 'fired' },
    trace: { holds: true, value: 1, window: null },
  });
  expect(only(await explained(ruleId))).toMatchObject({ recorded: { reason: 'resolved' }, trace: { holds: false } });
  expect(only(await explained(other))).toMatchObject({ recorded: { reason: 'resolved' }, state: { before: 'firing', after: 'ok' } });
});

test('whoever may read rules may ask; of another tenant’s there is none', async () => {
  const ruleId = await made();
  await world.slotWith(tenant, [50]);
  const viewer = await tenant.as('viewer');
  expect((await viewer('GET', `/rules/${ruleId}/explain`)).status).toBe(200);
  const other = await world.tenant('Other');
  expectProblem(await other.ask('GET', `/rules/${ruleId}/explain`), 'not_found', 404);
  for (const [query, pointer] of [
    ['?slot=soon', '?slot'],
    ['?series=model', '?series'],
    ['?series={"a":1}', '?series'],
    ['?when=1', '?when'],
  ])
    expect(expectProblem(await tenant.ask('GET', `/rules/${ruleId}/explain${query}`), 'invalid', 422).errors?.[0]?.pointer).toBe(pointer);
});

test('a rule nobody understands any more is explained from what was recorded', async () => {
  const ruleId = await made();
  await withTenantsSql(world.services.db, [tenant.tenantId], async (sql) => {
    await sql`update rules set version = 2 where id = ${ruleId}`;
    await sql`insert into rule_versions (tenant_id, rule_id, version, spec, created_by) values (${tenant.tenantId}, ${ruleId}, 2, '{"new": "words"}', 'another version')`;
  });
  await world.slotWith(tenant, [2_000]);
  const series = only(await explained(ruleId));
  expect(series).toMatchObject({ recorded: { reason: 'fired' }, now: null, trace: null, difference: null });
  expect(series.text).toContain('Its window cannot be read again.');
});
