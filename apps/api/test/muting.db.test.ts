import {
  Alert,
  AlertDetail,
  Delivery,
  Inhibitions,
  MaintenanceWindow,
  pageOf,
  Routes,
  RouteTest,
  Silence,
  SilencePreview,
} from '@tocsin/contracts';
import { insertDeliveries, insertTriggers, newId, openAlerts, snapshotOf, withTenantsSql } from '@tocsin/db';
import { slowReading } from '@tocsin/testkit';
import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest';
import { type Actor, aRule, aSilence, aWebhook, aWindow, expectProblem, openWorld, type World } from './open-world.ts';

const HOUR = 3_600_000;
const PROD = [{ label: 'env', op: '=', value: 'prod' }];

let world: World;
let tenant: Actor;
let ruleId: string;

beforeAll(async () => {
  world = await openWorld();
  tenant = await world.tenant();
  await tenant.ask('POST', '/channels', aWebhook());
  ruleId = (
    await tenant.ask(
      'POST',
      '/rules',
      aRule({ key: 'slow', labels: { team: 'shop' }, notify: [{ channel: 'hook', minSeverity: 'error' }] }),
    )
  ).body.id;
});
afterAll(() => world.close());
afterEach(() => {
  world.services.db.clock.shiftMs = 0;
});

const pass = (ms: number): void => void (world.services.db.clock.shiftMs += ms);
const post = (path: string, body?: unknown) => tenant.ask('POST', path, body);
const made = async (changes: Record<string, unknown> = {}): Promise<Silence> =>
  Silence.parse((await post('/silences', aSilence(changes))).body);
const inTenant = <T>(work: Parameters<typeof withTenantsSql<T>>[2]): Promise<T> =>
  withTenantsSql(world.services.db, [tenant.tenantId], work);
const audited = async (action: string): Promise<number> => {
  const [row] = await inTenant((sql) => sql<{ count: number }[]>`select count(*)::int as count from audit_events where action = ${action}`);
  return row?.count ?? 0;
};

/** An open alert, and what was told of it. */
async function alert(
  labels: Record<string, string>,
  told: { delivered: number; suppressed: number } = { delivered: 0, suppressed: 0 },
): Promise<string> {
  const { tenantId } = tenant;
  const [id, triggerId] = [newId(), newId()];
  const reading = slowReading({ samples: 1 });
  const named = {
    ruleId,
    ruleKey: 'slow',
    ruleName: 'Slow calls',
    labels,
    alertType: 'threshold' as const,
    typeName: 'latency_high' as const,
    category: null,
    severity: 'error' as const,
  };
  await inTenant(async (sql) => {
    await openAlerts(sql, [
      { ...named, tenantId, id, seriesKey: JSON.stringify({ ...labels, id }), reading, startedMs: Date.now(), breachedMs: Date.now() },
    ]);
    const snapshot = snapshotOf({
      ...named,
      id,
      reading,
      status: 'triggered',
      startedMs: Date.now(),
      resolvedMs: null,
      acknowledgedBy: null,
    });
    await insertTriggers(sql, [
      { tenantId, id: triggerId, alertId: id, ruleId, seq: 1, kind: 'fired', severity: 'error', slotMs: Date.now(), snapshot },
    ]);
    const delivery = (index: number, suppressed: string | null) => ({
      tenantId,
      id: newId(),
      triggerId,
      alertId: id,
      channelId: null,
      channelKey: `${suppressed}-${index}`,
      channelKind: 'webhook',
      kind: 'fired' as const,
      suppressed,
      suppressedBy: suppressed === null ? null : id,
      lifetimeMs: HOUR,
      body: null,
      first: null,
    });
    const rows = [
      ...Array.from({ length: told.delivered }, (_, index) => delivery(index, null)),
      ...Array.from({ length: told.suppressed }, (_, index) => delivery(index, 'alert_silenced')),
    ];
    if (rows.length > 0) await insertDeliveries(sql, rows);
  });
  return id;
}

describe('a silence', () => {
  test('is made, shown, listed by status, and over at its last instant', async () => {
    const { status, body, headers } = await post('/silences', aSilence({ comment: 'Moving the database' }));
    const silence = Silence.parse(body);
    expect({ status, etag: headers['etag'] }).toEqual({ status: 201, etag: '"1"' });
    expect(silence).toMatchObject({ status: 'active', matchers: PROD, onResolve: false, endReason: null, comment: 'Moving the database' });
    expect(Date.parse(silence.endsAt) - Date.parse(silence.startsAt)).toBe(2 * HOUR);
    const listed = async (of: string): Promise<string[]> =>
      pageOf(Silence)
        .parse((await tenant.ask('GET', `/silences?status=${of}`)).body)
        .data.map(({ id }) => id);
    expect(await listed('active')).toContain(silence.id);
    expect(await listed('expired')).not.toContain(silence.id);
    pass(2 * HOUR);
    expect((await tenant.ask('GET', `/silences/${silence.id}`)).body).toMatchObject({ status: 'expired', endReason: null });
    expect(await listed('expired')).toContain(silence.id);
  });

  test('that begins later is pending until then', async () => {
    const silence = await made({ startsAt: Date.now() + HOUR });
    expect(silence.status).toBe('pending');
    pass(HOUR);
    expect((await tenant.ask('GET', `/silences/${silence.id}`)).body.status).toBe('active');
  });

  test('until something resolves lasts a day at most, or as long as is said', async () => {
    const silence = await made({ duration: undefined, onResolve: true });
    expect(Date.parse(silence.endsAt) - Date.parse(silence.startsAt)).toBe(24 * HOUR);
    const shorter = await made({ onResolve: true });
    expect(Date.parse(shorter.endsAt) - Date.parse(shorter.startsAt)).toBe(2 * HOUR);
  });

  test('deleted is ended now and stays to be read; twice is once', async () => {
    const { id } = await made();
    expect((await tenant.ask('DELETE', `/silences/${id}`)).status).toBe(204);
    const { body } = await tenant.ask('GET', `/silences/${id}`);
    expect(body).toMatchObject({ status: 'expired', endReason: 'ended', version: 2 });
    expect((await tenant.ask('DELETE', `/silences/${id}`)).status).toBe(204);
    expect((await tenant.ask('GET', `/silences/${id}`)).body).toEqual(body);
    expectProblem(await tenant.ask('PUT', `/silences/${id}`, aSilence()), 'silence_over', 409);
  });

  test('that has not begun never mutes once it is deleted', async () => {
    const { id } = await made({ startsAt: Date.now() + HOUR });
    await tenant.ask('DELETE', `/silences/${id}`);
    pass(2 * HOUR);
    expect((await tenant.ask('GET', `/silences/${id}`)).body).toMatchObject({ status: 'expired' });
  });

  test('is replaced whole, from where it began, by whoever read it last', async () => {
    const before = await made();
    pass(HOUR);
    expectProblem(await tenant.ask('PUT', `/silences/${before.id}`, aSilence(), { 'if-match': '"7"' }), 'version_mismatch', 412);
    const changed = { matchers: [{ label: 'rule', op: '~', value: 'other-.*' }], duration: '3h', comment: 'Longer' };
    const { body } = await tenant.ask('PUT', `/silences/${before.id}`, changed, { 'if-match': '"1"' });
    const { duration: _counted, ...kept } = changed;
    expect(body).toMatchObject({ ...kept, startsAt: before.startsAt, version: 2 });
    expect(Date.parse(body.endsAt) - Date.parse(before.startsAt)).toBeGreaterThanOrEqual(4 * HOUR);
  });

  test('is for responders to make, for viewers to read, and on record', async () => {
    const [viewer, responder] = [await tenant.as('viewer'), await tenant.as('responder')];
    expectProblem(await viewer('POST', '/silences', aSilence()), 'forbidden', 403);
    const { id } = (await responder('POST', '/silences', aSilence())).body;
    expect((await viewer('GET', `/silences/${id}`)).status).toBe(200);
    expectProblem(await (await world.tenant('Other')).ask('DELETE', `/silences/${id}`), 'not_found', 404);
    expect((await responder('DELETE', `/silences/${id}`)).status).toBe(204);
    expect([await audited('silence.created'), await audited('silence.ended')].every((count) => count > 0)).toBe(true);
  });

  test.each<[what: string, body: Record<string, unknown>, pointer: string, code: string]>([
    ['no matchers', { matchers: [] }, '/matchers', 'too_small'],
    ['an unknown op', { matchers: [{ label: 'a', op: '=~', value: 'b' }] }, '/matchers/0/op', 'invalid_union'],
    ['a pattern that is none', { matchers: [{ label: 'a', op: '~', value: '(' }] }, '/matchers/0/value', 'bad_pattern'],
    ['look-around', { matchers: [{ label: 'a', op: '~', value: 'a(?=b)' }] }, '/matchers/0/value', 'bad_pattern'],
    ['no end', { duration: undefined }, '/duration', 'required'],
    ['two ends', { until: Date.now() + HOUR }, '/until', 'conflict'],
    ['an end that is past', { duration: undefined, until: '2020-01-01T00:00:00Z' }, '/until', 'out_of_range'],
    ['no duration', { duration: 'a while' }, '/duration', 'bad_duration'],
    ['too long', { duration: '400d' }, '/duration', 'out_of_range'],
    ['a field nobody knows', { match: [] }, '/match', 'unknown_field'],
  ])('with %s is refused there', async (_what, changes, pointer, code) => {
    const problem = expectProblem(await post('/silences', aSilence(changes)), 'invalid', 422);
    expect(problem.errors).toMatchObject([{ pointer, code }]);
  });

  test('says beforehand what it mutes, and would have muted in seven days', async () => {
    const region = `r-${newId()}`;
    const matchers = [
      { label: 'region', op: '=', value: region },
      { label: 'severity', op: 'in', value: ['error', 'critical'] },
    ];
    const shown = await alert({ region }, { delivered: 2, suppressed: 3 });
    await alert({ region: `${region}-other` }, { delivered: 1, suppressed: 0 });
    const { body } = await post('/silences/preview', { matchers });
    expect(SilencePreview.parse(body)).toMatchObject({
      now: { alerts: 1, shown: [{ id: shown }] },
      lastWeek: { alerts: 1, notifications: 2 },
      complete: true,
    });
    pass(8 * 24 * HOUR);
    expect((await post('/silences/preview', { matchers })).body).toMatchObject({
      now: { alerts: 1 },
      lastWeek: { alerts: 0, notifications: 0 },
    });
    const stranger = await world.tenant('Stranger');
    expect((await stranger.ask('POST', '/silences/preview', { matchers })).body).toMatchObject({
      now: { alerts: 0 },
      lastWeek: { alerts: 0 },
    });
  });
});

describe('one alert alone', () => {
  test('is silenced until then and unsilenced, with who and why on its timeline', async () => {
    const id = await alert({});
    const responder = await tenant.as('responder');
    const silenced = Alert.parse((await responder('POST', `/alerts/${id}/silence`, { duration: '2h', comment: 'Known' })).body);
    expect(Date.parse(silenced.silencedUntil ?? '') - Date.now()).toBeGreaterThan(1.9 * HOUR);
    expect((await responder('POST', `/alerts/${id}/unsilence`)).body.silencedUntil).toBeNull();
    expect((await responder('POST', `/alerts/${id}/unsilence`, {})).body.silencedUntil).toBeNull();
    const { timeline } = AlertDetail.parse((await tenant.ask('GET', `/alerts/${id}`)).body);
    expect(timeline).toMatchObject([
      { kind: 'silenced', actor: expect.stringContaining('key'), data: { comment: 'Known', until: silenced.silencedUntil } },
      { kind: 'unsilenced', reason: 'ended' },
    ]);
    expect([await audited('alert.silenced'), await audited('alert.unsilenced')]).toEqual([1, 1]);
  });

  test('until it resolves is a day at most', async () => {
    const { body } = await post(`/alerts/${await alert({})}/silence`, { onResolve: true });
    expect(Date.parse(body.silencedUntil) - Date.now()).toBeGreaterThan(23.9 * HOUR);
  });

  test('of many is silenced like all of them, and one that is over holds up none', async () => {
    const [one, other, over] = [await alert({}), await alert({}), await alert({})];
    await inTenant((sql) => sql`update alerts set status = 'resolved', resolved_at = tocsin_now() where id = ${over}`);
    const responder = await tenant.as('responder');
    const { body } = await responder('POST', '/alerts/bulk', {
      action: 'silence',
      ids: [one, other, over],
      duration: '2h',
      comment: 'Known',
    });
    expect(body.data).toMatchObject([
      { id: one, result: 'done', status: 'triggered' },
      { id: other, result: 'done', status: 'triggered' },
      { id: over, result: 'failed', code: 'alert_resolved' },
    ]);
    for (const id of [one, other]) expect((await tenant.ask('GET', `/alerts/${id}`)).body.silencedUntil).not.toBeNull();
    const endless = expectProblem(await responder('POST', '/alerts/bulk', { action: 'silence', ids: [one] }), 'invalid', 422);
    expect(endless.errors).toMatchObject([{ pointer: '/duration', code: 'required' }]);
    const mixed = expectProblem(await responder('POST', '/alerts/bulk', { action: 'resolve', ids: [one], duration: '2h' }), 'invalid', 422);
    expect(mixed.errors).toMatchObject([{ pointer: '/duration' }]);
  });

  test('is not silenced without an end, by viewers, by others, or once it is over', async () => {
    const id = await alert({});
    expect(expectProblem(await post(`/alerts/${id}/silence`, {}), 'invalid', 422).errors).toMatchObject([{ pointer: '/duration' }]);
    expectProblem(await (await tenant.as('viewer'))('POST', `/alerts/${id}/silence`, { duration: '1h' }), 'forbidden', 403);
    expectProblem(await (await world.tenant('Other')).ask('POST', `/alerts/${id}/silence`, { duration: '1h' }), 'not_found', 404);
    await inTenant((sql) => sql`update alerts set status = 'resolved', resolved_at = tocsin_now() where id = ${id}`);
    expectProblem(await post(`/alerts/${id}/silence`, { duration: '1h' }), 'alert_resolved', 409);
    expectProblem(await post(`/alerts/${id}/unsilence`), 'alert_resolved', 409);
  });
});

describe('a maintenance window', () => {
  test('is made, shows its next five occurrences, is replaced and deleted by editors', async () => {
    const editor = await tenant.as('editor');
    const { status, body } = await editor(
      'POST',
      '/maintenance-windows',
      aWindow({ start: '2030-03-29T22:00', recurrence: { kind: 'daily' } }),
    );
    const window = MaintenanceWindow.parse(body);
    expect({ status, active: window.active }).toEqual({ status: 201, active: false });
    expect(window.next.map(({ startsAt }) => startsAt.slice(0, 16))).toEqual([
      '2030-03-29T21:00',
      '2030-03-30T21:00',
      '2030-03-31T20:00',
      '2030-04-01T20:00',
      '2030-04-02T20:00',
    ]);
    const changed = aWindow({ name: 'Weekly', recurrence: { kind: 'weekly', days: ['sat'] } });
    expectProblem(await editor('PUT', `/maintenance-windows/${window.id}`, changed, { 'if-match': '"3"' }), 'version_mismatch', 412);
    expect((await editor('PUT', `/maintenance-windows/${window.id}`, changed)).body).toMatchObject({ name: 'Weekly', version: 2 });
    expect((await editor('GET', '/maintenance-windows')).body.data.map(({ id }: { id: string }) => id)).toContain(window.id);
    expectProblem(await (await tenant.as('responder'))('DELETE', `/maintenance-windows/${window.id}`), 'forbidden', 403);
    expect((await editor('DELETE', `/maintenance-windows/${window.id}`)).status).toBe(204);
    expectProblem(await tenant.ask('GET', `/maintenance-windows/${window.id}`), 'not_found', 404);
    for (const action of ['created', 'updated', 'deleted']) expect(await audited(`maintenance_window.${action}`)).toBeGreaterThan(0);
  });

  test('says that it is on, until its last instant', async () => {
    const now = Date.now();
    const start = new Date(now).toISOString().slice(0, 16);
    const { id } = (await post('/maintenance-windows', aWindow({ timeZone: 'UTC', start }))).body;
    const isActive = async (): Promise<boolean> => (await tenant.ask('GET', `/maintenance-windows/${id}`)).body.active;
    expect(await isActive()).toBe(true);
    pass(2 * HOUR);
    expect(await isActive()).toBe(false);
  });

  test.each<[what: string, changes: Record<string, unknown>, pointer: string, code: string]>([
    ['no such zone', { timeZone: 'Europe/Atlantis' }, '/timeZone', 'unknown_time_zone'],
    ['a start with an offset', { start: '2026-11-28T22:00Z' }, '/start', 'custom'],
    ['no cron', { recurrence: { kind: 'cron', cron: 'often' } }, '/recurrence/cron', 'bad_cron'],
    ['occurrences upon each other', { duration: '25h', recurrence: { kind: 'daily' } }, '/duration', 'conflict'],
    ['the same by cron', { duration: '2h', recurrence: { kind: 'cron', cron: '0 * * * *' } }, '/duration', 'conflict'],
    ['a weekly one without days', { recurrence: { kind: 'weekly' } }, '/recurrence/days', 'required'],
    ['a duration too long', { duration: '40d' }, '/duration', 'out_of_range'],
  ])('with %s is refused there', async (_what, changes, pointer, code) => {
    expect(expectProblem(await post('/maintenance-windows', aWindow(changes)), 'invalid', 422).errors).toMatchObject([{ pointer, code }]);
  });
});

describe('lists that are written whole', () => {
  const aRoute = (changes: Record<string, unknown> = {}) => ({ matchers: PROD, channels: [{ channel: 'hook' }], ...changes });

  test('are empty at first, and keep order and version', async () => {
    const { ask } = await world.tenant('New');
    expect(Routes.parse((await ask('GET', '/routes')).body)).toEqual({ routes: [], version: 0, updatedAt: null, updatedBy: null });
    expect(Inhibitions.parse((await ask('GET', '/inhibitions')).body)).toMatchObject({ inhibitions: [], version: 0 });
    const put = await ask('PUT', '/inhibitions', { inhibitions: [{ source: PROD, target: PROD, equal: ['host'] }] }, { 'if-match': '"0"' });
    expect(put.body).toMatchObject({ version: 1, inhibitions: [{ equal: ['host'] }] });
    expectProblem(await ask('PUT', '/inhibitions', { inhibitions: [] }, { 'if-match': '"0"' }), 'version_mismatch', 412);
    expect((await ask('GET', '/inhibitions')).headers['etag']).toBe('"1"');
  });

  test('of routes lead to channels that exist, which then cannot be deleted', async () => {
    const [first, second] = [
      aRoute({ continue: true }),
      aRoute({ matchers: [], channels: [{ channel: 'hook', minSeverity: 'critical' }] }),
    ];
    const unknown = { routes: [first, aRoute({ channels: [{ channel: 'hook' }, { channel: 'hok' }] })] };
    const problem = expectProblem(await tenant.ask('PUT', '/routes', unknown), 'invalid', 422);
    expect(problem.errors).toMatchObject([
      { pointer: '/routes/1/channels/1/channel', code: 'unknown_channel', message: expect.stringContaining("'hook'") },
    ]);
    const { body } = await (await tenant.as('editor'))('PUT', '/routes', { routes: [first, second] });
    expect(body.routes).toEqual([
      { matchers: PROD, channels: [{ channel: 'hook', minSeverity: 'info' }], continue: true },
      { matchers: [], channels: [{ channel: 'hook', minSeverity: 'critical' }], continue: false },
    ]);
    expectProblem(await (await tenant.as('responder'))('PUT', '/routes', { routes: [] }), 'forbidden', 403);
    const channels = (await tenant.ask('GET', '/channels')).body.data;
    const inUse = expectProblem(await tenant.ask('DELETE', `/channels/${channels[0].id}`), 'channel_in_use', 409);
    expect(inUse.detail).toBe("It is notified by 'Slow calls' and 2 routes.");
  });

  test('of routes say who would hear, and why', async () => {
    await post('/channels', { key: 'inbox', name: 'Inbox', kind: 'inbox' });
    await tenant.ask('PUT', '/routes', {
      routes: [
        aRoute({ matchers: [{ label: 'area', op: '=', value: 'eu' }], continue: true }),
        aRoute({ matchers: [], channels: [{ channel: 'inbox', minSeverity: 'critical' }] }),
      ],
    });
    const asked = { labels: { area: 'eu' }, severity: 'warning', rule: 'slow' };
    expect(RouteTest.parse((await post('/routes/test', asked)).body)).toEqual({
      routes: [0, 1],
      channels: [
        { channel: 'hook', hears: true, reason: null, waits: null, from: ['rule', 0] },
        { channel: 'inbox', hears: false, reason: 'below_min_severity', waits: null, from: [1] },
      ],
      muted: null,
    });
    const { id } = (await post('/silences', aSilence({ matchers: [{ label: 'team', op: '=', value: 'shop' }] }))).body;
    expect((await post('/routes/test', asked)).body).toMatchObject({
      channels: [{ hears: false, reason: 'silenced' }, { reason: 'below_min_severity' }],
      muted: { reason: 'silenced', by: id },
    });
    expect((await post('/routes/test', { labels: { env: 'dev' } })).body).toMatchObject({
      routes: [1],
      channels: [{ channel: 'inbox', from: [1] }],
    });
    expect(expectProblem(await post('/routes/test', { rule: 'nope' }), 'invalid', 422).errors).toMatchObject([
      { pointer: '/rule', code: 'unknown_rule' },
    ]);
    await tenant.ask('DELETE', `/silences/${id}`);
  });
});

test('a delivery that was muted names what muted it', async () => {
  const alertId = await alert({}, { delivered: 0, suppressed: 1 });
  const { data } = pageOf(Delivery).parse((await tenant.ask('GET', `/deliveries?alertId=${alertId}`)).body);
  expect(data).toMatchObject([{ status: 'suppressed', reason: 'alert_silenced', suppressedBy: alertId }]);
});
