import { slowReading } from '@tocsin/testkit';
import { Alert, AlertDetail, pageOf } from '@tocsin/contracts';
import { insertAlertEvents, insertDeliveries, newId, openAlerts, withTenantsSql } from '@tocsin/db';
import type { Severity } from '@tocsin/domain';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { type Actor, aRule, expectProblem, openWorld, type World } from './open-world.ts';

let world: World;
let tenant: Actor;
let ruleId: string;
const SLOT_MS = Date.UTC(2026, 10, 20, 12);

beforeAll(async () => {
  world = await openWorld();
  tenant = await world.tenant();
  ruleId = (await tenant.ask('POST', '/rules', aRule({ key: 'slow' }))).body.id;
});
afterAll(() => world.close());

const inTenant = <T>(work: Parameters<typeof withTenantsSql<T>>[2]): Promise<T> =>
  withTenantsSql(world.services.db, [tenant.tenantId], work);

/** An alert of one series, opened some minutes after noon. */
async function opened(model: string, severity: Severity, minute: number): Promise<string> {
  const id = newId();
  const reading = slowReading({ windowMs: 900_000, peak: 2_500 });
  const alert = {
    tenantId: tenant.tenantId,
    id,
    ruleId,
    ruleKey: 'slow',
    ruleName: 'Slow calls',
    seriesKey: JSON.stringify({ model }),
    labels: { model },
    alertType: 'threshold' as const,
    typeName: 'latency_high' as const,
    category: null,
    severity,
    reading,
    startedMs: SLOT_MS + minute * 60_000,
    breachedMs: SLOT_MS + minute * 60_000,
  };
  await inTenant((sql) => openAlerts(sql, [alert]));
  return id;
}

describe('alerts', () => {
  test('are listed newest first with what was measured, and filtered', async () => {
    const ids = [await opened('a', 'warning', 0), await opened('b', 'critical', 1), await opened('c', 'info', 2)];
    const [b] = [ids[1] as string];
    await inTenant(
      (sql) => sql`update alerts set status = 'resolved', resolved_at = tocsin_now(), resolve_reason = 'recovered' where id = ${b}`,
    );
    const listed = pageOf(Alert).parse((await tenant.ask('GET', '/alerts')).body);
    expect(listed.data.map(({ id }) => id)).toEqual(ids.toReversed());
    expect(listed.data[0]).toMatchObject({
      rule: { id: ruleId, key: 'slow', name: 'Slow calls' },
      labels: { model: 'c' },
      metric: 'latency',
      value: 2_000,
      peak: 2_500,
      threshold: 1_000,
      unit: 'ms',
      window: '15m',
      startedAt: '2026-11-20T12:02:00.000Z',
    });
    const models = async (query: string): Promise<string[]> =>
      (await tenant.ask('GET', `/alerts?${query}`)).body.data.map(({ labels }: Alert) => labels['model']);
    expect(await models('status=open')).toEqual(['c', 'a']);
    expect(await models('status=resolved')).toEqual(['b']);
    expect(await models('status=triggered,resolved&severity=critical,info')).toEqual(['c', 'b']);
    expect(await models('ruleKey=slow&since=2026-11-20T12:01:00Z')).toEqual(['c', 'b']);
    expect(await models(`ruleId=${ruleId}&since=2026-11-20T13:01:00%2B01:00&until=${SLOT_MS + 120_000}`)).toEqual(['b']);
    expect(await models(`ruleId=${newId()}`)).toEqual([]);
    for (const query of [
      'status=on',
      'status=',
      'severity=bad',
      'ruleId=1',
      'since=noon',
      'until=-1',
      'since=9e99',
      'label=slow',
      'alertType=slow',
      'rule=!',
    ]) {
      expectProblem(await tenant.ask('GET', `/alerts?${query}`), 'invalid', 422);
    }
  });

  test('come one by one with their timeline, oldest entry first', async () => {
    const id = await opened('told', 'error', 3);
    const entry = (kind: string, reason: string | null) => ({
      tenantId: tenant.tenantId,
      id: newId(),
      alertId: id,
      kind,
      reason,
      data: { slot: SLOT_MS },
    });
    await inTenant((sql) => insertAlertEvents(sql, [entry('fired', 'breach')]));
    await inTenant((sql) => insertAlertEvents(sql, [entry('escalated', null)]));
    const detail = AlertDetail.parse((await tenant.ask('GET', `/alerts/${id}`)).body);
    expect(detail.timeline.map(({ kind, reason, actor }) => [kind, reason, actor])).toEqual([
      ['fired', 'breach', 'evaluator'],
      ['escalated', null, 'evaluator'],
    ]);
  });

  test('a dead delivery is sent again, once, and only by those who may respond', async () => {
    const alertId = await opened('dead', 'error', 4);
    const { body: channel } = await tenant.ask('POST', '/channels', { key: 'in', name: 'In', kind: 'inbox' });
    const id = newId();
    const delivery = {
      tenantId: tenant.tenantId,
      id,
      triggerId: null,
      alertId,
      channelId: channel.id,
      channelKey: 'in',
      channelKind: 'inbox',
      kind: 'fired' as const,
      suppressed: null,
      lifetimeMs: 60_000,
      body: null,
      first: null,
    };
    const end = { ...delivery, id: newId(), kind: 'resolved' as const, suppressed: 'never_told' };
    await inTenant((sql) => insertDeliveries(sql, [delivery, end]));
    expectProblem(await tenant.ask('POST', `/deliveries/${id}/retry`), 'not_retryable', 409);
    await inTenant((sql) => sql`update deliveries set status = 'dead', reason = 'http_400', finished_at = tocsin_now() where id = ${id}`);
    expect((await tenant.ask('GET', '/deliveries?status=dead')).body.data).toMatchObject([{ id, reason: 'http_400', nextAttemptAt: null }]);
    expectProblem(await (await tenant.as('viewer'))('POST', `/deliveries/${id}/retry`), 'forbidden', 403);
    const retried = await (await tenant.as('responder'))('POST', `/deliveries/${id}/retry`);
    expect([retried.status, retried.body.status, retried.body.finishedAt]).toEqual([202, 'pending', null]);
    // in one transaction: as often as it was sent again, somebody has asked for it
    const [together] = await inTenant(
      (sql) => sql`
        select a.xmin::text = d.xmin::text as "isOne" from audit_events a join deliveries d on d.tenant_id = a.tenant_id and d.id::text = a.subject
        where a.action = 'delivery.retried' and d.id = ${id}`,
    );
    expect(together).toEqual({ isOne: true });
    // and what is sent after it because of it
    expect((await tenant.ask('GET', `/deliveries/${end.id}`)).body).toMatchObject({ status: 'pending', reason: null });
    const audited = await inTenant((sql) => sql`select data from audit_events where action = 'delivery.retried' and subject = ${end.id}`);
    expect(audited).toEqual([{ data: { after: id } }]);
    expectProblem(await tenant.ask('POST', `/deliveries/${id}/retry`), 'not_retryable', 409);
  });
});
