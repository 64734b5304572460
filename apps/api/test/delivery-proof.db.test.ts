import { Channel, Delivery, Drill, DrillSchedule, pageOf } from '@tocsin/contracts';
import { newId, withTenantsSql } from '@tocsin/db';
import { openOutbound } from '@tocsin/runtime';
import { slowReading, webhookReceiver, type WebhookReceiver } from '@tocsin/testkit';
import { Webhook } from 'standardwebhooks';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { z } from 'zod';
import { type Actor, expectProblem, openWorld, type World } from './open-world.ts';

const HOUR_MS = 3_600_000;
const Deliveries = pageOf(Delivery);

let world: World;
let tenant: Actor;
let receiver: WebhookReceiver;
const outbound = openOutbound({ allowHttp: true, allowCidrs: ['127.0.0.0/8'] });

beforeAll(async () => {
  world = await openWorld({ outbound });
});
afterAll(async () => {
  await world.close();
  await outbound.close();
});
beforeEach(async () => {
  tenant = await world.tenant();
  receiver = await webhookReceiver();
});
afterEach(async () => {
  world.services.db.clock.shiftMs = 0;
  await receiver.close();
});

const hook = async (key: string, more: object = {}): Promise<{ id: string; secret: string }> => {
  const made = await tenant.ask('POST', '/channels', { key, name: key, kind: 'webhook', config: { url: `${receiver.url}/in` }, ...more });
  expect(made.status, made.text).toBe(201);
  return { id: made.body.id, secret: made.body.config.secret };
};

describe('a webhook’s secret', () => {
  /** Whether the library of Standard Webhooks takes the newest request for one of this secret's. */
  const takes = (secret: string): boolean => {
    const { body, headers } = receiver.requests.at(-1)!;
    try {
      // It holds the time that was signed against the machine's own.
      new Webhook(secret).verify(body, headers as Record<string, string>);
      return true;
    } catch {
      return false;
    }
  };
  const signatures = (): number => String(receiver.requests.at(-1)?.headers['webhook-signature']).split(' ').length;

  test('is exchanged with an overlap in which either of the two verifies, and shown once', async () => {
    const { id, secret: old } = await hook('hook');
    await tenant.ask('POST', `/channels/${id}/test`);
    expect([takes(old), signatures()]).toEqual([true, 1]);

    const rotated = await tenant.ask('POST', `/channels/${id}/rotate-secret`, { overlap: '2m' });
    expect(rotated.status, rotated.text).toBe(200);
    const { config, formerSecretsUntil, version } = Channel.parse(rotated.body);
    const fresh = z.string().parse(config['secret']);
    expect(fresh).toMatch(/^whsec_/);
    expect(version).toBe(2);
    expect(Date.parse(formerSecretsUntil!) - Date.now()).toBeGreaterThan(60_000);
    expect((await tenant.ask('GET', `/channels/${id}`)).text).not.toContain(fresh);

    await tenant.ask('POST', `/channels/${id}/test`);
    expect([takes(old), takes(fresh), signatures()]).toEqual([true, true, 2]);
    world.services.db.clock.shiftMs += 121_000;
    await tenant.ask('POST', `/channels/${id}/test`);
    expect([takes(old), takes(fresh), signatures()]).toEqual([false, true, 1]);
  });

  test('once exchanged comes to its end whoever sends the masks back', async () => {
    const { id, secret: old } = await hook('hook');
    await tenant.ask('POST', `/channels/${id}/rotate-secret`, { overlap: '2m' });
    const shown = Channel.parse((await tenant.ask('GET', `/channels/${id}`)).body);
    const patched = await tenant.ask('PATCH', `/channels/${id}`, { config: shown.config });
    expect(Channel.parse(patched.body)).toMatchObject({ config: shown.config, formerSecretsUntil: shown.formerSecretsUntil });
    world.services.db.clock.shiftMs += 121_000;
    await tenant.ask('POST', `/channels/${id}/test`);
    expect([takes(old), signatures()]).toEqual([false, 1]);
  });

  test('whose time is over does not hold again because another one is exchanged', async () => {
    const { id, secret: old } = await hook('hook');
    const second = await tenant.ask('POST', `/channels/${id}/rotate-secret`, { overlap: '2m' });
    world.services.db.clock.shiftMs += 121_000;
    await tenant.ask('POST', `/channels/${id}/rotate-secret`, { overlap: '2m' });
    await tenant.ask('POST', `/channels/${id}/test`);
    expect([takes(old), takes(second.body.config.secret), signatures()]).toEqual([false, true, 2]);
  });

  test('can be one of the caller’s own, at once, and must be one', async () => {
    const { id, secret: old } = await hook('hook');
    const own = 'whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw';
    const rotated = await tenant.ask('POST', `/channels/${id}/rotate-secret`, { secret: own, overlap: '0s' });
    expect(rotated.body).toMatchObject({ config: { secret: own }, formerSecretsUntil: null });
    await tenant.ask('POST', `/channels/${id}/test`);
    expect([takes(old), takes(own), signatures()]).toEqual([false, true, 1]);
    for (const body of [{ secret: 'guess' }, { overlap: '8d' }, { overlap: 'soon' }, { secrets: [] }]) {
      expect((await tenant.ask('POST', `/channels/${id}/rotate-secret`, body)).status, JSON.stringify(body)).toBe(422);
    }
    const inbox = await tenant.ask('POST', '/channels', { key: 'in', name: 'In', kind: 'inbox' });
    expectProblem(await tenant.ask('POST', `/channels/${inbox.body.id}/rotate-secret`), 'not_rotatable', 409);
    const audited = await withTenantsSql(
      world.services.db,
      [tenant.tenantId],
      (sql) => sql`select data::text as data from audit_events where action = 'channel.secret_rotated'`,
    );
    expect(JSON.stringify(audited)).not.toContain(own.slice(6));
  });
});

describe('a fallback', () => {
  const refused = async (answer: Promise<{ body: unknown; status: number }>, code: string): Promise<void> => {
    const { body, status } = await answer;
    expect(status).toBe(422);
    expect(body).toMatchObject({ errors: [{ pointer: '/fallback', code }] });
  };

  test('is another channel that is there and does not lead back; whoever deletes it is told of who leans on it', async () => {
    await refused(tenant.ask('POST', '/channels', { key: 'a', name: 'A', kind: 'inbox', fallback: 'a' }), 'fallback_is_itself');
    await refused(tenant.ask('POST', '/channels', { key: 'a', name: 'A', kind: 'inbox', fallback: 'b' }), 'unknown_channel');
    const a = await hook('a');
    const b = await hook('b', { fallback: 'a' });
    await hook('c', { fallback: 'b' });
    await refused(tenant.ask('PATCH', `/channels/${a.id}`, { fallback: 'c' }), 'fallback_cycle');
    await refused(tenant.ask('PUT', '/notification-settings', { fallback: 'nobody' }), 'unknown_channel');
    expect((await tenant.ask('PUT', '/notification-settings', { fallback: 'a' })).body).toEqual({ fallback: 'a' });
    expect((await tenant.ask('GET', '/notification-settings')).body).toEqual({ fallback: 'a' });

    expectProblem(await tenant.ask('DELETE', `/channels/${a.id}`), 'channel_in_use', 409);
    expect((await tenant.ask('DELETE', `/channels/${a.id}?force=true`)).status).toBe(204);
    expect((await tenant.ask('GET', '/notification-settings')).body).toEqual({ fallback: null });
    expect((await tenant.ask('GET', `/channels/${b.id}`)).body).toMatchObject({ fallback: null, health: { state: 'unused' } });
    expect((await tenant.ask('PATCH', `/channels/${b.id}`, { fallback: 'c' })).status).toBe(422);
  });
});

test('a test send and a message in earnest are refused by the same guard', async () => {
  const closed = openOutbound({ allowHttp: true, allowCidrs: [] });
  const { id } = await hook('hook');
  const guarded = await openWorld({ outbound: closed });
  try {
    // The address was allowed when it was saved.
    const other = await guarded.tenant();
    const made = await other.ask('POST', '/channels', {
      key: 'in',
      name: 'In',
      kind: 'webhook',
      config: { url: 'https://93.184.216.34/' },
    });
    await withTenantsSql(
      guarded.services.db,
      [other.tenantId],
      (sql) => sql`update channels set config = ${JSON.stringify({ url: receiver.url })}::text::jsonb`,
    );
    expect((await other.ask('POST', `/channels/${made.body.id}/test`)).body).toMatchObject({
      outcome: 'rejected',
      reason: 'blocked_address',
    });
  } finally {
    await guarded.close();
    await closed.close();
  }
  expect((await tenant.ask('POST', `/channels/${id}/test`)).body).toMatchObject({ outcome: 'delivered' });
  expect(receiver.requests).toHaveLength(1);
});

describe('the list of deliveries', () => {
  /** Rows as a dispatcher leaves them. */
  const rows = async (): Promise<void> => {
    const { tenantId } = tenant;
    await withTenantsSql(world.services.db, [tenantId], async (sql) => {
      for (const [index, [key, kind, status, reason]] of [
        ['one', 'webhook', 'delivered', null],
        ['one', 'webhook', 'dead', 'http_400'],
        ['two', 'slack', 'dead', 'expired'],
        ['two', 'slack', 'suppressed', 'folded'],
        ['one', 'webhook', 'dead', 'expired'],
      ].entries()) {
        await sql`
          insert into deliveries (tenant_id, id, channel_key, channel_kind, kind, status, reason, created_at, expires_at, finished_at)
          values (${tenantId}, ${newId()}, ${key!}, ${kind!}, 'fired', ${status!}, ${reason!},
                  tocsin_now() - make_interval(hours => ${10 - index}), tocsin_now(), tocsin_now())`;
      }
    });
  };
  const asked = async (query: string): Promise<(string | null)[][]> =>
    Deliveries.parse((await tenant.ask('GET', `/deliveries?${query}`)).body).data.map(({ channel, status, reasonText }) => [
      channel.key,
      status,
      reasonText,
    ]);

  test('is narrowed by conditions that combine, and goes by pages without a gap', async () => {
    await rows();
    const at = (hoursAgo: number): string => encodeURIComponent(new Date(Date.now() - hoursAgo * HOUR_MS + 60_000).toISOString());
    expect(await asked('status=dead&channel=one')).toHaveLength(2);
    expect(await asked('status=dead&channelKind=slack')).toEqual([['two', 'dead', 'it could not be sent within a day of its trigger']]);
    expect(await asked('reason=expired&channel=one')).toHaveLength(1);
    expect(await asked(`status=dead&from=${at(9.5)}&to=${at(7)}`)).toHaveLength(2);
    expect(await asked('ruleId=0198c0de-0000-7000-8000-000000000000')).toEqual([]);
    expect(await asked('rule=nothing')).toEqual([]);
    const seen: string[] = [];
    for (let cursor: string | null = ''; cursor !== null;) {
      const page = Deliveries.parse(
        (await tenant.ask('GET', `/deliveries?limit=2&status=dead${cursor === '' ? '' : `&cursor=${cursor}`}`)).body,
      );
      seen.push(...page.data.map(({ id }) => id));
      cursor = page.nextCursor;
    }
    expect(seen).toHaveLength(3);
    expect(new Set(seen).size).toBe(3);
    expect(seen.toSorted().toReversed()).toEqual(seen);
  });

  test('a replay says what it refuses, and needs a time or ids', async () => {
    await rows();
    const dead = Deliveries.parse((await tenant.ask('GET', '/deliveries?status=dead')).body).data.map(({ id }) => id);
    const unknown = newId();
    const { body } = await tenant.ask('POST', '/deliveries/replay', { ids: [...dead, unknown] });
    expect(body).toMatchObject({ matched: 4, replayed: 0, more: false });
    expect(body.refused.map(({ reason }: { reason: string }) => reason).toSorted()).toEqual([
      'channel_missing',
      'channel_missing',
      'channel_missing',
      'not_found',
    ]);
    for (const wrong of [{}, { from: 1 }, { ids: dead, from: 1, to: 2 }, { from: 2, to: 1 }, { ids: [] }]) {
      expect((await tenant.ask('POST', '/deliveries/replay', wrong)).status, JSON.stringify(wrong)).toBe(422);
    }
  });
});

describe('drills', () => {
  test('begin, are found, and are kept to channels that are there', async () => {
    await hook('hook');
    const begun = await tenant.ask('POST', '/drills', { channels: ['hook'], severity: 'error' });
    expect(begun.status, begun.text).toBe(202);
    expect(Drill.parse(begun.body)).toMatchObject({
      status: 'running',
      severity: 'error',
      scheduled: false,
      channels: [{ channel: 'hook', status: null }],
    });
    expect(Drill.parse((await tenant.ask('GET', `/drills/${begun.body.id}`)).body).stages.stored.at).not.toBeNull();
    expect(pageOf(Drill).parse((await tenant.ask('GET', '/drills')).body).data).toHaveLength(1);
    expect((await tenant.ask('GET', '/rules')).body.data).toEqual([]);
    const wrong = await tenant.ask('POST', '/drills', { channels: ['hok', 'hook', 'hook'] });
    expect(wrong.body).toMatchObject({
      errors: [
        { pointer: '/channels/0', code: 'unknown_channel', message: expect.stringContaining("Did you mean 'hook'?") },
        { pointer: '/channels/2', code: 'duplicate' },
      ],
    });
  });

  test('are ten at a time at most', async () => {
    await hook('hook');
    const start = () => tenant.ask('POST', '/drills', { channels: ['hook'] });
    for (let begun = 0; begun < 10; begun += 1) expect((await start()).status).toBe(202);
    expectProblem(await start(), 'too_many_requests', 429);
    expect((await tenant.ask('GET', '/drills')).body.data).toHaveLength(10);
  });

  test('are in no list, and hold up nobody who deletes a channel', async () => {
    const { id } = await hook('hook');
    await tenant.ask('POST', '/drills', { channels: ['hook'] });
    const { tenantId } = tenant;
    await withTenantsSql(world.services.db, [tenantId], async (sql) => {
      const [rule] = await sql<{ id: string; key: string }[]>`select id, key from rules`;
      await sql`insert into rule_costs (tenant_id, rule_id, ms, last_ms, segments, events, series, measured_at)
        values (${tenantId}, ${rule!.id}, 1, 1, 1, 1, 1, tocsin_now())`;
      const reading = JSON.stringify(slowReading());
      await sql`insert into alerts (tenant_id, id, rule_id, rule_key, rule_name, series_key, labels, alert_type, type_name, status, severity, reading,
          started_at, breached_at, last_slot_at)
        values (${tenantId}, ${newId()}, ${rule!.id}, ${rule!.key}, 'Fire drill', '{}', '{}', 'threshold', 'custom', 'triggered', 'critical',
          ${reading}::text::jsonb, tocsin_now(), tocsin_now(), tocsin_now())`;
    });
    for (const list of ['/rules', '/rules/costs', '/alerts']) expect((await tenant.ask('GET', list)).body.data, list).toEqual([]);
    const matchers = [{ label: 'severity', op: '=', value: 'critical' }];
    expect((await tenant.ask('POST', '/silences/preview', { matchers })).body).toMatchObject({ now: { alerts: 0, shown: [] } });
    expect((await tenant.ask('DELETE', `/channels/${id}`)).status).toBe(204);
  });

  test('have a schedule, in a time zone, an hour apart at least', async () => {
    await hook('hook');
    expectProblem(await tenant.ask('GET', '/drills/schedule'), 'not_found', 404);
    const put = { cron: '0 9 * * 1', timeZone: 'Europe/Berlin', channels: ['hook'] };
    const schedule = DrillSchedule.parse((await tenant.ask('PUT', '/drills/schedule', put)).body);
    expect(schedule).toMatchObject({ ...put, severity: 'critical' });
    expect(Date.parse(schedule.nextAt!)).toBeGreaterThan(Date.now());
    expect((await tenant.ask('GET', '/drills/schedule')).body).toEqual(schedule);
    for (const [change, pointer] of [
      [{ cron: '* * * * *' }, '/cron'],
      [{ cron: 'mondays' }, '/cron'],
      [{ timeZone: 'Mars/Base' }, '/timeZone'],
      [{ channels: ['gone'] }, '/channels/0'],
    ] as const) {
      expect((await tenant.ask('PUT', '/drills/schedule', { ...put, ...change })).body).toMatchObject({ errors: [{ pointer }] });
    }
    expect((await tenant.ask('DELETE', '/drills/schedule')).status).toBe(204);
    expectProblem(await tenant.ask('GET', '/drills/schedule'), 'not_found', 404);
  });
});
