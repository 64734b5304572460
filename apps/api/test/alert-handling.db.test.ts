import { Alert, AlertDetail, AlertTimelineEntry } from '@tocsin/contracts';
import { archiveAlerts, newId } from '@tocsin/db';
import type { SeriesState } from '@tocsin/domain';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { alertActors } from './alert-actors.ts';
import { type Actor, type Ask, type Answer, expectProblem, type Method, openWorld, type World } from './open-world.ts';

let world: World;
let tenant: Actor;
let stranger: Actor;
let responder: Ask;
let actors: Awaited<ReturnType<typeof alertActors>>;

beforeAll(async () => {
  world = await openWorld();
  tenant = await world.tenant();
  stranger = await world.tenant('Other');
  responder = await tenant.as('responder');
  actors = await alertActors(world, tenant);
});
afterAll(() => world.close());

const open = (more: Parameters<typeof actors.open>[1] = {}): Promise<string> => actors.open('gpt-4o', more);
const post = async (path: string, body?: unknown): Promise<Answer> => responder('POST', path, body);
const timelineOf = async (id: string) => AlertDetail.parse((await tenant.ask('GET', `/alerts/${id}`)).body).timeline;
const kindsOf = async (id: string): Promise<string[]> => (await timelineOf(id)).map(({ kind }) => kind);
const triggersOf = (id: string) =>
  actors.inTenant(
    (sql) => sql<{ kind: string; reason: string; status: string }[]>`
    select kind, snapshot ->> 'status' as status from triggers where alert_id = ${id} order by seq`,
  );
/** As long ago as retention wants it, and moved. */
async function archived(): Promise<string> {
  const id = await open();
  await post(`/alerts/${id}/resolve`, { notes: 'old' });
  await actors.inTenant(
    (sql) =>
      sql`update alerts set resolved_at = tocsin_now() - interval '91 days', started_at = tocsin_now() - interval '92 days' where id = ${id}`,
  );
  await actors.inTenant((sql) => sql`update triggers set status = 'suppressed' where alert_id = ${id}`);
  await actors.inTenant((sql) => archiveAlerts(sql, [tenant.tenantId], 90 * 86_400_000, 10));
  return id;
}

describe('acknowledging', () => {
  test('shows who has it and since when, once, whoever says so again', async () => {
    const id = await open();
    const { status, body } = await post(`/alerts/${id}/acknowledge`, { note: 'on it' });
    expect(status).toBe(200);
    const acknowledged = Alert.parse(body);
    expect(acknowledged).toMatchObject({
      status: 'acknowledged',
      acknowledgedBy: expect.any(String),
      acknowledgedAt: expect.any(String),
      resolvedAt: null,
    });
    const again = Alert.parse((await tenant.ask('POST', `/alerts/${id}/acknowledge`)).body);
    expect(again).toEqual(acknowledged);
    const [entry] = await timelineOf(id);
    expect(entry).toMatchObject({ kind: 'acknowledged', actor: acknowledged.acknowledgedBy, data: { note: 'on it' } });
    expect(await kindsOf(id)).toEqual(['acknowledged']);
    expect(await triggersOf(id)).toEqual([{ kind: 'acknowledged', status: 'acknowledged' }]);
  });

  test('can be taken back, and then reminds again', async () => {
    const id = await open();
    await actors.inTenant((sql) => sql`update rules set spec = jsonb_set(spec, '{remindEvery}', '"4h"') where id = ${actors.ruleId}`);
    await post(`/alerts/${id}/acknowledge`);
    const { body } = await post(`/alerts/${id}/unacknowledge`, { note: 'not me' });
    expect(Alert.parse(body)).toMatchObject({ status: 'active', acknowledgedBy: null, acknowledgedAt: null });
    const timers = await actors.inTenant(
      (sql) => sql<{ inMs: number }[]>`
      select (extract(epoch from due_at - tocsin_now()) * 1000)::float8 as "inMs" from alert_timers where alert_id = ${id}`,
    );
    expect(timers).toHaveLength(1);
    expect(Math.abs(timers[0]!.inMs - 4 * 3_600_000)).toBeLessThan(60_000);
    expect((await post(`/alerts/${id}/unacknowledge`)).body).toEqual(body);
    expect(await kindsOf(id)).toEqual(['acknowledged', 'unacknowledged']);
  });

  test('with an Idempotency-Key gives the first answer again', async () => {
    const id = await open();
    const headers = { 'idempotency-key': newId() };
    const first = await responder('POST', `/alerts/${id}/acknowledge`, {}, headers);
    await post(`/alerts/${id}/resolve`);
    const again = await responder('POST', `/alerts/${id}/acknowledge`, {}, headers);
    expect(again.body).toEqual(first.body);
    expect(again.headers['idempotent-replayed']).toBe('true');
  });
});

describe('resolving by hand', () => {
  test('ends the alert, resets its series and tells who heard of it', async () => {
    const id = await open();
    await actors.inTenant(
      (sql) =>
        sql`insert into alert_timers (tenant_id, id, alert_id, kind, due_at) values (${tenant.tenantId}, ${newId()}, ${id}, 'reminder', tocsin_now())`,
    );
    const { body } = await post(`/alerts/${id}/resolve`, { notes: 'restarted the worker' });
    const resolved = Alert.parse(body);
    expect(resolved).toMatchObject({
      status: 'resolved',
      resolveReason: 'manual',
      resolvedBy: expect.any(String),
      resolutionNotes: 'restarted the worker',
    });
    expect(await triggersOf(id)).toEqual([{ kind: 'resolved', status: 'resolved' }]);
    const [series] = await actors.inTenant(
      (sql) => sql<{ state: SeriesState; phase: string; version: number; alertId: string | null }[]>`
      select state, phase, version, alert_id as "alertId" from series_states where series_key like ${`%${id}%`}`,
    );
    expect(series).toMatchObject({ phase: 'ok', version: 2, alertId: null, state: { phase: 'ok', alertType: null } });
    expect(series!.state.lastFired.threshold).toBeDefined();
    expect(await actors.inTenant((sql) => sql`select from alert_timers where alert_id = ${id}`)).toHaveLength(0);
    expect(await timelineOf(id)).toMatchObject([
      { kind: 'resolved', reason: 'manual', actor: resolved.resolvedBy, data: { notes: 'restarted the worker' } },
    ]);
  });

  test('twice changes nothing, and what is over is not acknowledged', async () => {
    const id = await open();
    const first = await post(`/alerts/${id}/resolve`);
    expect((await post(`/alerts/${id}/resolve`, { notes: 'again' })).body).toEqual(first.body);
    expect(await triggersOf(id)).toHaveLength(1);
    expectProblem(await post(`/alerts/${id}/acknowledge`), 'alert_resolved', 409);
    expectProblem(await post(`/alerts/${id}/unacknowledge`), 'alert_resolved', 409);
  });

  test('keeps who had it', async () => {
    const id = await open();
    await post(`/alerts/${id}/acknowledge`);
    expect(Alert.parse((await post(`/alerts/${id}/resolve`)).body)).toMatchObject({
      status: 'resolved',
      acknowledgedBy: expect.any(String),
    });
  });
});

describe('what is said of an alert', () => {
  test('comments are on its timeline with their authors, open or over', async () => {
    const id = await open();
    const { status, body } = await post(`/alerts/${id}/comments`, { text: 'looks like\nthe queue' });
    expect(status).toBe(201);
    expect(AlertTimelineEntry.parse(body)).toMatchObject({ kind: 'commented', data: { text: 'looks like\nthe queue' } });
    await post(`/alerts/${id}/resolve`);
    await post(`/alerts/${id}/comments`, { text: 'it was' });
    expect(await kindsOf(id)).toEqual(['commented', 'resolved', 'commented']);
    expect((await timelineOf(id))[0]).toEqual(body);
  });

  test('an assignee is set, changed and taken away, each once', async () => {
    const id = await open();
    const set = (assignee: string) => responder('PUT', `/alerts/${id}/assignee`, { assignee });
    expect(Alert.parse((await set('ann')).body).assignee).toBe('ann');
    await set('ann');
    await set('bob');
    expect(Alert.parse((await responder('DELETE', `/alerts/${id}/assignee`)).body).assignee).toBeNull();
    await responder('DELETE', `/alerts/${id}/assignee`);
    expect((await timelineOf(id)).map(({ kind, data }) => [kind, data['before']])).toEqual([
      ['assigned', null],
      ['assigned', 'ann'],
      ['unassigned', 'bob'],
    ]);
  });

  test('noise is marked once, with its note, and unmarked', async () => {
    const id = await open();
    const marked = Alert.parse((await responder('PUT', `/alerts/${id}/noise`, { note: 'deploy' })).body);
    expect(marked.noise).toMatchObject({ note: 'deploy', by: expect.any(String) });
    expect((await responder('PUT', `/alerts/${id}/noise`)).body).toEqual(marked);
    expect(Alert.parse((await responder('DELETE', `/alerts/${id}/noise`)).body).noise).toBeNull();
    expect(await kindsOf(id)).toEqual(['marked_noise', 'unmarked_noise']);
  });
});

describe('deleting', () => {
  test('takes an alert that is over away, with what was told of it, and is audited', async () => {
    const id = await open();
    expectProblem(await tenant.ask('DELETE', `/alerts/${id}`), 'alert_open', 409);
    await post(`/alerts/${id}/resolve`);
    expectProblem(await tenant.ask('DELETE', `/alerts/${id}`), 'alert_open', 409);
    await actors.inTenant((sql) => sql`update triggers set status = 'planned' where alert_id = ${id}`);
    expect((await tenant.ask('DELETE', `/alerts/${id}`)).status).toBe(204);
    expectProblem(await tenant.ask('GET', `/alerts/${id}`), 'not_found', 404);
    expectProblem(await tenant.ask('DELETE', `/alerts/${id}`), 'not_found', 404);
    const audited = await actors.inTenant((sql) => sql<{ action: string }[]>`select action from audit_events where subject = ${id}`);
    expect(audited).toEqual([{ action: 'alert.deleted' }]);
  });

  test('is for admins', async () => {
    const id = await open();
    for (const role of ['responder', 'editor'] as const)
      expectProblem(await (await tenant.as(role))('DELETE', `/alerts/${id}`), 'forbidden', 403);
  });
});

/** Every verb with a body that it takes. */
const VERBS: readonly [Method, string, unknown][] = [
  ['POST', 'acknowledge', { note: 'n' }],
  ['POST', 'unacknowledge', {}],
  ['POST', 'resolve', { notes: 'n' }],
  ['POST', 'comments', { text: 't' }],
  ['PUT', 'assignee', { assignee: 'ann' }],
  ['DELETE', 'assignee', undefined],
  ['PUT', 'noise', {}],
  ['DELETE', 'noise', undefined],
];

describe.each(VERBS)('%s /alerts/{id}/%s', (method, verb, body) => {
  test("is not for viewers, and another tenant's alert is not there", async () => {
    const id = await open();
    expectProblem(await (await tenant.as('viewer'))(method, `/alerts/${id}/${verb}`, body), 'forbidden', 403);
    expectProblem(await stranger.ask(method, `/alerts/${id}/${verb}`, body), 'not_found', 404);
    expectProblem(await responder(method, `/alerts/${newId()}/${verb}`, body), 'not_found', 404);
    expect(await kindsOf(id)).toEqual([]);
  });

  test('of an archived alert is refused', async () => {
    expectProblem(await responder(method, `/alerts/${await archived()}/${verb}`, body), 'alert_archived', 409);
  });

  test('says where a wrong body is wrong', async () => {
    if (body === undefined) return;
    const id = await open();
    const wrong = expectProblem(await responder(method, `/alerts/${id}/${verb}`, { ...(body as object), txt: 1 }), 'invalid', 422);
    expect(wrong.errors).toMatchObject([{ pointer: '/txt', code: 'unknown_field' }]);
    for (const name of Object.keys(body as object)) {
      const empty = expectProblem(await responder(method, `/alerts/${id}/${verb}`, { [name]: '' }), 'invalid', 422);
      expect(empty.errors?.[0]?.pointer).toBe(`/${name}`);
    }
    expect(await kindsOf(id)).toEqual([]);
  });
});

test('an archived alert is read with its timeline and what was said, and can be deleted', async () => {
  const id = await archived();
  const detail = AlertDetail.parse((await tenant.ask('GET', `/alerts/${id}`)).body);
  expect(detail).toMatchObject({ id, status: 'resolved', resolutionNotes: 'old', labels: { model: 'gpt-4o' } });
  expect(detail.timeline).toMatchObject([{ kind: 'resolved', reason: 'manual', data: { notes: 'old' } }]);
  expectProblem(await stranger.ask('GET', `/alerts/${id}`), 'not_found', 404);
  const from = new Date(Date.now() - 100 * 86_400_000).toISOString();
  const ids = async (query: string): Promise<string[]> =>
    (await tenant.ask('GET', `/alerts?${query}`)).body.data.map((alert: Alert) => alert.id);
  expect(await ids(`from=${from}&limit=500`)).toContain(id);
  expect(await ids('limit=500')).not.toContain(id);
  expect((await tenant.ask('DELETE', `/alerts/${id}`)).status).toBe(204);
  expect(await ids(`from=${from}&limit=500`)).not.toContain(id);
});
