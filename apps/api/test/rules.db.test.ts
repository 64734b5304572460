import { slowReading } from '@tocsin/testkit';
import { CostOfRule, pageOf, Rule, UnreadableRule } from '@tocsin/contracts';
import { newId, withTenantsSql, writeRuleCosts } from '@tocsin/db';
import { maintain, type Payload } from '@tocsin/queue';
import { afterAll, beforeAll, describe, expect, test, vi } from 'vitest';
import { type Actor, aRule, aWebhook, expectProblem, openWorld, type World } from './open-world.ts';

let world: World;
let tenant: Actor;

beforeAll(async () => {
  world = await openWorld();
  tenant = await world.tenant();
});
afterAll(() => world.close());

const inTenant = <T>(work: Parameters<typeof withTenantsSql<T>>[2]): Promise<T> =>
  withTenantsSql(world.services.db, [tenant.tenantId], work);

/** An open alert of a rule with its firing series, as an evaluator leaves them. */
async function fire(rule: Rule): Promise<string> {
  const alertId = newId();
  const reading = slowReading();
  const now = Date.now();
  await inTenant(async (sql) => {
    await sql`insert into alerts (tenant_id, id, rule_id, rule_key, rule_name, series_key, labels, alert_type, status, severity, reading, started_at, last_slot_at)
      values (${tenant.tenantId}, ${alertId}, ${rule.id}, ${rule.key}, ${rule.name}, '{}', '{}', 'threshold', 'active', 'warning', ${sql.json({ ...reading })}, ${now}, ${now})`;
    await sql`insert into series_states (tenant_id, rule_id, series_key, labels, state, phase, alert_id, last_seen_at)
      values (${tenant.tenantId}, ${rule.id}, '{}', '{}', '{}', 'firing', ${alertId}, ${now})`;
  });
  return alertId;
}

const audited = (subject: string): Promise<string[]> =>
  inTenant(async (sql) =>
    (await sql<{ action: string }[]>`select action from audit_events where subject = ${subject} order by at, id`).map(
      ({ action }) => action,
    ),
  );

describe('rules', () => {
  test('one that looks further back than 6 h has its hours prepared at once, also when it is enabled again; others ask for nothing', async () => {
    const asked: Payload<typeof maintain>[] = [];
    const consumer = world.services.queues.consumer(maintain, { concurrency: 1 }, (payload) => {
      asked.push(payload);
      return Promise.resolve();
    });
    const each = { task: 'prepare', tenantIds: [tenant.tenantId] };
    const condition = { metric: 'latency', window: '6h', operator: '>', threshold: 1 };
    const made = await tenant.ask('POST', '/rules', aRule({ name: 'Half a day', condition }));
    expect(made.status, made.text).toBe(201);
    expect((await tenant.ask('PATCH', `/rules/${made.body.id}`, { condition: { ...condition, window: '12h' } })).status).toBe(200);
    await vi.waitFor(() => expect(asked).toEqual([each]), 45_000);
    await tenant.ask('POST', `/rules/${made.body.id}/disable`);
    await tenant.ask('POST', `/rules/${made.body.id}/enable`);
    await vi.waitFor(() => expect(asked).toEqual([each, each]), 45_000);
    expect((await tenant.ask('DELETE', `/rules/${made.body.id}`)).status).toBe(204);
    await consumer.close();
  });

  test('a rule comes back in canonical words with its sentence, state and health', async () => {
    const made = await tenant.ask('POST', '/rules', aRule({ name: 'Checkout latency' }));
    expect(made.status, made.text).toBe(201);
    expect(Rule.parse(made.body)).toMatchObject({
      key: 'checkout-latency',
      severity: 'warning',
      state: 'ok',
      health: 'ok',
      triggerCount: 0,
      lastTriggeredAt: null,
      enabled: true,
      version: 1,
    });
    expect(Object.keys(made.body).slice(0, 5)).toEqual(['id', 'key', 'name', 'severity', 'condition']);
    expect(made.body.description).toMatch(/latency/i);
    expect(made.headers['etag']).toBe('"1"');
    expect((await tenant.ask('GET', `/rules/${made.body.id}`)).body).toEqual(made.body);
    expect((await tenant.ask('GET', '/rules/by-key/checkout-latency')).body).toEqual(made.body);
    expectProblem(await tenant.ask('GET', '/rules/by-key/checkout'), 'not_found', 404);
  });

  test('what is wrong is named by its place, with the nearest known word', async () => {
    const typo = expectProblem(
      await tenant.ask('POST', '/rules', aRule({ condition: { metrik: 'latency', window: '5m', operator: '>', threshold: 1 } })),
      'invalid',
      422,
    );
    expect(typo.errors?.[0]).toMatchObject({ pointer: '/condition/metrik', message: expect.stringContaining("Did you mean 'metric'?") });
    const channel = expectProblem(await tenant.ask('POST', '/rules', aRule({ notify: [{ channel: 'hok' }] })), 'invalid', 422);
    expect(channel.errors?.[0]).toMatchObject({ pointer: '/notify/0/channel', code: 'unknown_channel' });
    await tenant.ask('POST', '/channels', aWebhook());
    const near = expectProblem(
      await tenant.ask('POST', '/rules', aRule({ notify: [{ channel: 'hook' }, { channel: 'hok' }] })),
      'invalid',
      422,
    );
    expect(near.errors).toEqual([
      { pointer: '/notify/1/channel', code: 'unknown_channel', message: "There is no channel 'hok'. Did you mean 'hook'?" },
    ]);
    for (const body of [
      aRule({ condition: { all: [] } }),
      aRule({ cooldown: 'soon' }),
      aRule({ enabled: 'yes' }),
      aRule({ condition: { metric: 'latency', window: '5m', operator: '>', threshold: 'NaN' } }),
    ]) {
      expectProblem(await tenant.ask('POST', '/rules', body), 'invalid', 422);
    }
  });

  test('two rules cannot have one key', async () => {
    await tenant.ask('POST', '/rules', aRule({ key: 'one' }));
    const problem = expectProblem(await tenant.ask('POST', '/rules', aRule({ key: 'one' })), 'key_taken', 409);
    expect(problem.detail).toContain("'one'");
    const { body } = await tenant.ask('POST', '/rules', aRule({ key: 'two' }));
    expectProblem(await tenant.ask('PATCH', `/rules/${body.id}`, { key: 'one' }), 'key_taken', 409);
    expect((await (await world.tenant()).ask('POST', '/rules', aRule({ key: 'one' }))).status).toBe(201);
  });

  test('a patch replaces what it names, and null goes back to the default', async () => {
    const { body } = await tenant.ask(
      'POST',
      '/rules',
      aRule({ key: 'patched', cooldown: '5m', every: '30s', labels: { team: 'a', env: 'b' } }),
    );
    const patched = await tenant.ask('PATCH', `/rules/${body.id}`, { cooldown: null, every: null, labels: { team: 'c' }, name: 'Patched' });
    expect(Rule.parse(patched.body)).toMatchObject({
      key: 'patched',
      name: 'Patched',
      cooldown: '60m',
      labels: { team: 'c' },
      version: 2,
      condition: body.condition,
    });
    expect(patched.body).not.toHaveProperty('every');
    expectProblem(await tenant.ask('PATCH', `/rules/${body.id}`, { name: null }), 'invalid', 422);
    expectProblem(await tenant.ask('PATCH', `/rules/${body.id}`, { nam: 'x' }), 'invalid', 422);
    expectProblem(await tenant.ask('PATCH', `/rules/${body.id}`, { version: 7 }), 'invalid', 422);
    const versions = await inTenant(
      (sql) => sql`select version, spec ->> 'name' as name from rule_versions where rule_id = ${body.id} order by version`,
    );
    expect(versions).toMatchObject([
      { version: 1, name: 'Slow calls' },
      { version: 2, name: 'Patched' },
    ]);
    expect(await audited(body.id)).toEqual(['rule.created', 'rule.updated']);
  });

  test('a change that changes nothing makes no version', async () => {
    const { body } = await tenant.ask('POST', '/rules', aRule({ key: 'same' }));
    expect((await tenant.ask('PATCH', `/rules/${body.id}`, { name: body.name, condition: body.condition })).body).toEqual(body);
    expect((await tenant.ask('PUT', '/rules/by-key/same', aRule())).body).toEqual(body);
    expect((await tenant.ask('POST', `/rules/${body.id}/enable`)).body).toEqual(body);
  });

  test('of two people who change what they both read, the second is told', async () => {
    const { body, headers } = await tenant.ask('POST', '/rules', aRule({ key: 'raced' }));
    const match = { 'if-match': String(headers['etag']) };
    const answers = await Promise.all(['5m', '10m'].map((cooldown) => tenant.ask('PATCH', `/rules/${body.id}`, { cooldown }, match)));
    expect(answers.map(({ status }) => status).sort()).toEqual([200, 412]);
    expectProblem(await tenant.ask('DELETE', `/rules/${body.id}`, undefined, match), 'version_mismatch', 412);
  });

  test('an upsert by key makes the rule, then makes it what is sent', async () => {
    const made = await tenant.ask('PUT', '/rules/by-key/as-code', aRule({ cooldown: '5m' }));
    expect([made.status, made.body.key]).toEqual([201, 'as-code']);
    await tenant.ask('POST', `/rules/${made.body.id}/disable`);
    const put = await tenant.ask('PUT', '/rules/by-key/as-code', aRule({ name: 'As code' }));
    expect([put.status, put.body.id, put.body.name, put.body.cooldown, put.body.enabled]).toEqual([
      200,
      made.body.id,
      'As code',
      '60m',
      false,
    ]);
    expectProblem(await tenant.ask('PUT', '/rules/by-key/as-code', aRule({ key: 'other' })), 'invalid', 422);
    expectProblem(await tenant.ask('PUT', '/rules/by-key/Not%20a%20key', aRule()), 'invalid', 422);
    expectProblem(await tenant.ask('PUT', '/rules/by-key/never-made', aRule(), { 'if-match': '"1"' }), 'version_mismatch', 412);
  });

  test('twenty upserts of one new key at once make one rule', async () => {
    const answers = await Promise.all(
      Array.from({ length: 20 }, () => tenant.ask('PUT', '/rules/by-key/crowded', aRule({ name: 'Crowded' }))),
    );
    expect(answers.map(({ status }) => status).sort()).toEqual([...Array<number>(19).fill(200), 201]);
    expect((await tenant.ask('GET', '/rules?search=crowded')).body.data).toHaveLength(1);
  });

  test.for([
    [
      'another condition',
      (id: string) => tenant.ask('PATCH', `/rules/${id}`, { condition: { metric: 'cost', window: '5m', operator: '>', threshold: 1 } }),
      'rule_changed',
    ],
    ['another group-by', (id: string) => tenant.ask('PATCH', `/rules/${id}`, { groupBy: ['model'] }), 'rule_changed'],
    ['being disabled', (id: string) => tenant.ask('POST', `/rules/${id}/disable`), 'rule_disabled'],
    ['being deleted', (id: string) => tenant.ask('DELETE', `/rules/${id}`), 'rule_deleted'],
  ] as const)('%s ends a rule’s open alerts and says why', async ([name, act, reason]) => {
    const { body: rule } = await tenant.ask('POST', '/rules', aRule({ name }));
    const alertId = await fire(rule);
    expect((await tenant.ask('GET', `/rules/${rule.id}`)).body.state).toBe('firing');
    expect((await act(rule.id)).status).toBeLessThan(300);
    const { body } = await tenant.ask('GET', `/alerts/${alertId}`);
    expect(body).toMatchObject({ status: 'resolved', resolveReason: reason, rule: { id: rule.id, key: rule.key, name: rule.name } });
    expect(body.timeline.at(-1)).toMatchObject({ kind: 'resolved', reason });
  });

  test('another name leaves the open alerts alone', async () => {
    const { body: rule } = await tenant.ask('POST', '/rules', aRule({ key: 'renamed' }));
    const alertId = await fire(rule);
    await tenant.ask('PATCH', `/rules/${rule.id}`, { name: 'Another', cooldown: '5m' });
    expect((await tenant.ask('GET', `/alerts/${alertId}`)).body.status).toBe('active');
    expect((await tenant.ask('GET', '/rules?state=firing')).body.data.map(({ id }: Rule) => id)).toEqual([rule.id]);
  });

  test('the tenant’s slots are as fine as the finest enabled rule, and stop with the last', async () => {
    const quiet = await world.tenant();
    expect((await quiet.ask('PUT', '/schedule', { every: '5m' })).body).toMatchObject({ every: '5m', slotEvery: '5m', nextSlotAt: null });
    const { body } = await quiet.ask('POST', '/rules', aRule({ every: '10s' }));
    expect((await quiet.ask('GET', '/schedule')).body).toMatchObject({ slotEvery: '10s', nextSlotAt: expect.any(String) });
    await quiet.ask('PATCH', `/rules/${body.id}`, { every: '2m' });
    expect((await quiet.ask('GET', '/schedule')).body).toMatchObject({ slotEvery: '2m' });
    await quiet.ask('POST', `/rules/${body.id}/disable`);
    expect((await quiet.ask('GET', '/schedule')).body).toMatchObject({ slotEvery: '5m', nextSlotAt: null });
    for (const every of ['9s', '25h', '-1m', '1e3s', '', 'soon', '1.5m', 60])
      expectProblem(await quiet.ask('PUT', '/schedule', { every }), 'invalid', 422);
  });

  test('lists are newest first, in pages without holes or repeats while rules are added', async () => {
    const many = await world.tenant();
    for (let index = 0; index < 7; index += 1)
      await many.ask('POST', '/rules', aRule({ key: `r${index}`, severity: index % 2 === 0 ? 'critical' : 'info' }));
    const seen: string[] = [];
    for (let cursor: string | null = ''; cursor !== null;) {
      const answer = await many.ask('GET', `/rules?limit=3${cursor === '' ? '' : `&cursor=${cursor}`}`);
      const page = pageOf(Rule).parse(answer.body);
      seen.push(...page.data.map(({ key }) => key));
      cursor = page.nextCursor;
      if (seen.length === 3) await many.ask('POST', '/rules', aRule({ key: 'late' }));
    }
    expect(seen).toEqual(['r6', 'r5', 'r4', 'r3', 'r2', 'r1', 'r0']);
    expect((await many.ask('GET', '/rules?severity=info')).body.data).toHaveLength(3);
    expect((await many.ask('GET', '/rules?search=%25')).body.data).toEqual([]);
    expect((await many.ask('GET', '/rules?enabled=false')).body.data).toEqual([]);
  });

  test('a rule shows what it costs once that is measured, and costs are listed dearest first, in pages', async () => {
    const dear = await world.tenant();
    const ids: string[] = [];
    for (let index = 0; index < 5; index += 1) ids.push((await dear.ask('POST', '/rules', aRule({ key: `r${index}` }))).body.id as string);
    expect((await dear.ask('GET', `/rules/${ids[0]}`)).body.cost).toBeNull();
    const costs = [3, 12.3456, 3, 0.1].map((ms, index) => ({
      tenantId: dear.tenantId,
      ruleId: ids[index]!,
      ms,
      lastMs: 1,
      segments: 2.51,
      events: 1e6,
      series: 3,
      atMs: 1_800_000_000_000,
    }));
    const gone = { ...costs[0]!, ruleId: newId() };
    await withTenantsSql(world.services.db, [dear.tenantId], (sql) => writeRuleCosts(sql, [...costs, gone]));
    const cost = { ms: 12.346, lastMs: 1, segments: 2.5, events: 1e6, series: 3, at: '2027-01-15T08:00:00.000Z' };
    expect((await dear.ask('GET', `/rules/${ids[1]}`)).body.cost).toEqual(cost);
    const seen: string[] = [];
    for (let cursor: string | null = ''; cursor !== null;) {
      const answer = await dear.ask('GET', `/rules/costs?limit=1${cursor === '' ? '' : `&cursor=${cursor}`}`);
      const page = pageOf(CostOfRule).parse(answer.body);
      seen.push(...page.data.map(({ key }) => key));
      cursor = page.nextCursor;
    }
    expect(seen).toEqual(['r1', 'r2', 'r0', 'r3']);
    expectProblem(await dear.ask('GET', '/rules/costs?cursor=WzEsMl0'), 'invalid', 422);
    await dear.ask('DELETE', `/rules/${ids[1]}`);
    expect((await dear.ask('GET', '/rules/costs')).body.data).toHaveLength(3);
  });

  describe('in quarantine', () => {
    const quarantined = async (name: string): Promise<Rule> => {
      const { body } = await tenant.ask('POST', '/rules', aRule({ name }));
      await inTenant(
        (sql) => sql`
          update rules set failures = 3, quarantines = 1, quarantined_at = tocsin_now(), quarantined_until = tocsin_now() + interval '1 hour',
            paused_after = tocsin_now(), health = 'error', health_reason = 'quarantined: too_many_series: more than 9'
          where id = ${body.id}`,
      );
      return Rule.parse((await tenant.ask('GET', `/rules/${body.id}`)).body);
    };

    test('say since when, until when and why, and are found among those in error', async () => {
      const rule = await quarantined('Too wide');
      expect(rule).toMatchObject({ health: 'error', healthReason: 'quarantined: too_many_series: more than 9', enabled: true });
      expect(Date.parse(rule.quarantinedUntil!) - Date.parse(rule.quarantinedAt!)).toBe(3_600_000);
      const inError = await tenant.ask('GET', '/rules?health=error');
      expect(inError.body.data.map(({ id }: Rule) => id)).toContain(rule.id);
    });

    test('come out when they are enabled, as the same version, and only once', async () => {
      const { id, version } = await quarantined('Enabled again');
      for (let time = 0; time < 2; time += 1) {
        const { status, body } = await tenant.ask('POST', `/rules/${id}/enable`);
        expect(status).toBe(200);
        expect(Rule.parse(body)).toMatchObject({
          quarantinedAt: null,
          quarantinedUntil: null,
          healthReason: 'too_many_series: more than 9',
          version,
        });
      }
      expect(await audited(id)).toEqual(['rule.created', 'rule.released']);
    });

    test('come out when they are changed, and stay there when nothing of them is', async () => {
      const { id } = await quarantined('Changed');
      expect((await tenant.ask('PATCH', `/rules/${id}`, { name: 'Changed' })).body.quarantinedAt).not.toBeNull();
      const changed = await tenant.ask('PATCH', `/rules/${id}`, {
        condition: { metric: 'latency', window: '1m', operator: '>', threshold: 9 },
      });
      expect(Rule.parse(changed.body)).toMatchObject({ quarantinedAt: null, quarantinedUntil: null, version: 2 });
    });
  });

  test('a tenant has at most ten thousand', async () => {
    const full = await world.tenant();
    const { body } = await full.ask('POST', '/rules', aRule({ key: 'first' }));
    await withTenantsSql(
      world.services.db,
      [full.tenantId],
      (sql) => sql`
      insert into rules (tenant_id, id, key, name, spec, created_by, updated_by, enabled)
      select tenant_id, gen_random_uuid(), 'copy-' || n, name, spec, created_by, updated_by, false from rules, generate_series(1, 9999) n where id = ${body.id}`,
    );
    expectProblem(await full.ask('POST', '/rules', aRule({ key: 'one-too-many' })), 'bound_exceeded', 422);
    expectProblem(await full.ask('PUT', '/rules/by-key/one-too-many', aRule()), 'bound_exceeded', 422);
    expectProblem(await full.ask('GET', '/rules/by-key/one-too-many'), 'not_found', 404);
  });
});

describe('a rule whose stored words are of another version, or garbage', () => {
  const GARBAGE: readonly [name: string, spec: unknown][] = [
    ['an aggregation nobody knows', { condition: { metric: 'latency', aggregation: 'p42', window: '5m', operator: '>', threshold: 1 } }],
    ['a field nobody knows', { escalateAfter: '5m' }],
    ['no condition', { condition: null }],
    ['text', 'garbage'],
    ['null', null],
  ];

  async function spoilt(owner: Actor, key: string, spec: unknown): Promise<Rule> {
    const { body } = await owner.ask('POST', '/rules', aRule({ key }));
    const text = JSON.stringify(spec);
    await withTenantsSql(
      world.services.db,
      [owner.tenantId],
      (sql) => sql`
        update rules set spec = case jsonb_typeof(said) when 'object' then spec || said else said end
        from (select ${text}::text::jsonb as said) new where id = ${body.id}`,
    );
    return body;
  }

  test.for(GARBAGE)('%s: the list shows it as broken beside the others', async ([, spec]) => {
    const owner = await world.tenant();
    const { body: sound } = await owner.ask('POST', '/rules', aRule({ key: 'sound' }));
    const { id } = await spoilt(owner, 'broken', spec);
    const list = await owner.ask('GET', '/rules');
    expect(list.status, list.text).toBe(200);
    expect(list.body.data[1]).toEqual(sound);
    const broken = UnreadableRule.parse(list.body.data[0]);
    expect(broken).toMatchObject({ id, key: 'broken', name: 'Slow calls', health: 'error', version: 1 });
    expect(broken.healthReason).toMatch(/^rule_unreadable: ./);
    expect((await owner.ask('GET', `/rules/${id}`)).body).toEqual(broken);
    expect((await owner.ask('GET', '/rules/by-key/broken')).body).toEqual(broken);
    expect((await owner.ask('GET', `/rules/${id}/evaluations`)).status).toBe(200);
  });

  test.for(GARBAGE)('%s: it is switched off and on, replaced and deleted like any other', async ([, spec]) => {
    const owner = await world.tenant();
    const { id } = await spoilt(owner, 'broken', spec);
    expect((await owner.ask('POST', `/rules/${id}/disable`)).body).toMatchObject({ enabled: false, version: 2, key: 'broken' });
    expect((await owner.ask('POST', `/rules/${id}/enable`)).body).toMatchObject({ enabled: true, version: 3, health: 'error' });
    expectProblem(await owner.ask('PATCH', `/rules/${id}`, {}), 'invalid', 422);
    const put = await owner.ask('PUT', '/rules/by-key/broken', aRule({ name: 'Mended' }));
    expect([put.status, Rule.parse(put.body).name, put.body.version]).toEqual([200, 'Mended', 4]);
    const { id: other } = await spoilt(owner, 'other', spec);
    expect((await owner.ask('DELETE', `/rules/${other}`)).status).toBe(204);
    expect((await owner.ask('GET', '/rules')).body.data.map(({ key }: Rule) => key)).toEqual(['broken']);
  });

  test('a patch of what is not understood mends it', async () => {
    const owner = await world.tenant();
    const { id, condition } = await spoilt(owner, 'broken', { escalateAfter: '5m', condition: null });
    const patched = await owner.ask('PATCH', `/rules/${id}`, { escalateAfter: null, condition });
    expect([patched.status, Rule.parse(patched.body).condition]).toEqual([200, condition]);
  });
});
