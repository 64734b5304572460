import { Channel, Delivery, pageOf, RouteTest } from '@tocsin/contracts';
import { newId, withTenantsSql } from '@tocsin/db';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { type Actor, aWebhook, expectProblem, openWorld, type World } from './open-world.ts';

let world: World;
let tenant: Actor;

beforeAll(async () => {
  world = await openWorld();
  tenant = await world.tenant();
});
afterAll(() => world.close());

const HOUR = 3_600_000;
const ALL_DAYS = ['sun', 'mon', 'tue', 'wed', 'thu', 'fri', 'sat'];
const shown = (ms: number): string => new Date(ms).toISOString().slice(11, 16);
/** Began an hour ago, and ends in so many. */
const quietFor = (hours: number) => ({
  timeZone: 'UTC',
  windows: [{ days: ALL_DAYS, from: shown(Date.now() - HOUR), to: shown(Date.now() + hours * HOUR) }],
});
const DAILY = { every: 'daily', at: '09:00', timeZone: 'Europe/Berlin' };

test('a channel says when it is quiet and what it collects, and says it no more when it is told to', async () => {
  const quietHours = { timeZone: 'Europe/Berlin', windows: [{ from: '22:00', to: '07:00' }] };
  const { body, status, text } = await tenant.ask('POST', '/channels', aWebhook({ key: 'calm', quietHours, digest: DAILY }));
  expect(status, text).toBe(201);
  const windows = [{ days: ALL_DAYS, from: '22:00', to: '07:00' }];
  const when = { quietHours: { timeZone: 'Europe/Berlin', windows }, digest: DAILY, digestBelow: 'critical' };
  expect(Channel.parse(body)).toMatchObject(when);
  const at = `/channels/${body.id}`;
  expect((await tenant.ask('PATCH', at, { name: 'Calm' })).body).toMatchObject(when);
  const weekly = { every: 'weekly', at: '09:00', timeZone: 'UTC' };
  expect((await tenant.ask('PATCH', at, { digest: weekly, digestBelow: 'error' })).body).toMatchObject({
    digest: { ...weekly, day: 'mon' },
    digestBelow: 'error',
  });
  expect((await tenant.ask('PATCH', at, { quietHours: null, digest: null })).body).toMatchObject({
    quietHours: null,
    digest: null,
    digestBelow: null,
  });
  expect(Channel.parse((await tenant.ask('GET', at)).body)).toMatchObject({ quietHours: null, digest: null, digestBelow: null });
});

test.each<[string, Record<string, unknown>, string, string]>([
  [
    'hours that never end',
    { quietHours: { timeZone: 'UTC', windows: [{ from: '00:00', to: '24:00' }] } },
    '/quietHours/windows',
    'never_ends',
  ],
  ['no hours at all', { quietHours: { timeZone: 'UTC', windows: [] } }, '/quietHours/windows', 'too_small'],
  [
    'a time that no clock shows',
    { quietHours: { timeZone: 'UTC', windows: [{ from: '25:00', to: '07:00' }] } },
    '/quietHours/windows/0/from',
    'invalid_format',
  ],
  [
    'an unknown zone',
    { quietHours: { timeZone: 'Europe/Nowhere', windows: [{ from: '22:00', to: '07:00' }] } },
    '/quietHours/timeZone',
    'unknown_time_zone',
  ],
  [
    'an unknown day',
    { quietHours: { timeZone: 'UTC', windows: [{ days: ['monday'], from: '22:00', to: '07:00' }] } },
    '/quietHours/windows/0/days/0',
    'invalid_value',
  ],
  ['a digest of an unknown kind', { digest: { ...DAILY, every: 'hourly' } }, '/digest/every', 'invalid_union'],
  ['a day for a daily digest', { digest: { ...DAILY, day: 'mon' } }, '/digest/day', 'unknown_field'],
  ['a digest at no time', { digest: { every: 'daily', timeZone: 'UTC' } }, '/digest/at', 'required'],
  ['a severity without a digest', { digestBelow: 'error' }, '/digestBelow', 'needs_digest'],
  ['a severity that nothing is milder than', { digest: DAILY, digestBelow: 'info' }, '/digestBelow', 'invalid_value'],
  ['a digest of alerts that are told one by one', { digest: DAILY, grouping: false }, '/digest', 'alerts_apart'],
  [
    'a digest for a receiver that keeps alerts apart',
    { kind: 'pagerduty', config: { routingKey: 'R0123456789ABCDEF0123456789ABCDE' }, digest: DAILY },
    '/digest',
    'alerts_apart',
  ],
])('%s: refused, at its place', async (_, wrong, pointer, code) => {
  const { errors } = expectProblem(await tenant.ask('POST', '/channels', aWebhook({ key: 'wrong', ...wrong })), 'invalid', 422);
  expect(errors?.[0]).toMatchObject({ pointer, code });
});

test('a change that does not fit what the channel says already is refused', async () => {
  const { body } = await tenant.ask('POST', '/channels', aWebhook({ key: 'collecting', digest: DAILY }));
  const { errors } = expectProblem(await tenant.ask('PATCH', `/channels/${body.id}`, { grouping: false }), 'invalid', 422);
  expect(errors?.[0]).toMatchObject({ pointer: '/digest', code: 'alerts_apart' });
});

test('a test of routes says who would hear later, and when', async () => {
  await tenant.ask('POST', '/channels', aWebhook({ key: 'asleep', quietHours: quietFor(3) }));
  await tenant.ask('POST', '/channels', aWebhook({ key: 'awake' }));
  await tenant.ask('PUT', '/routes', { routes: [{ channels: [{ channel: 'asleep' }, { channel: 'awake' }] }] });
  const waitsAt = async (severity: string) => {
    const { channels } = RouteTest.parse((await tenant.ask('POST', '/routes/test', { severity })).body);
    return channels.map(({ channel, hears, waits }) => [channel, hears, waits?.reason ?? null]);
  };
  expect(await waitsAt('error')).toEqual([
    ['asleep', true, 'quiet_hours'],
    ['awake', true, null],
  ]);
  expect(await waitsAt('critical')).toEqual([
    ['asleep', true, null],
    ['awake', true, null],
  ]);
});

test('what waits says why and until when, and goes at the earlier of the old and the new end of the quiet hours', async () => {
  const { body: channel } = await tenant.ask('POST', '/channels', aWebhook({ key: 'sleeper', quietHours: quietFor(5) }));
  const id = newId();
  await withTenantsSql(world.services.db, [tenant.tenantId], async (sql) => {
    await sql`
      insert into deliveries (tenant_id, id, channel_id, channel_key, channel_kind, kind, expires_at, fold_key, held_for, held_until, next_attempt_at)
      select ${tenant.tenantId}, ${id}, ${channel.id}, 'sleeper', 'webhook', 'fired', until + interval '1 day', 'quiet_hours', 'quiet_hours', until, until
      from (select tocsin_now() + interval '5 hours' as until) u`;
  });
  const seen = async () => {
    const { data } = pageOf(Delivery).parse((await tenant.ask('GET', '/deliveries?reason=quiet_hours&channel=sleeper')).body);
    expect(data).toHaveLength(1);
    expect(data[0]).toMatchObject({ id, status: 'pending', reason: 'quiet_hours', heldFor: 'quiet_hours' });
    expect(data[0]!.reasonText).toContain('quiet hours');
    return (Date.parse(data[0]!.heldUntil!) - Date.now()) / HOUR;
  };
  const before = await seen();
  await tenant.ask('PATCH', `/channels/${channel.id}`, { quietHours: quietFor(9) });
  expect(await seen()).toBeCloseTo(before, 1);
  await tenant.ask('PATCH', `/channels/${channel.id}`, { quietHours: quietFor(2) });
  const sooner = await seen();
  expect(sooner).toBeLessThan(before - 2);
  expect(sooner).toBeGreaterThan(0);
  // a change of something else is none of when it is told
  await tenant.ask('PATCH', `/channels/${channel.id}`, { name: 'Sleeper' });
  expect(await seen()).toBeCloseTo(sooner, 1);
  await tenant.ask('PATCH', `/channels/${channel.id}`, { quietHours: null });
  expect(await seen()).toBeLessThanOrEqual(0.01);
  const stats = (await tenant.ask('GET', '/alerts/stats')).body.deliveries.find((each: { channel: string }) => each.channel === 'sleeper');
  expect(stats).toMatchObject({ underWay: 1, waiting: 0 });
  expect(Channel.parse((await tenant.ask('GET', `/channels/${channel.id}`)).body).health.state).toBe('unused');
});
