import type { AlertSnapshot, MessageKind } from '@tocsin/domain';
import { makeTenant, testDatabase, type TestDatabase } from '@tocsin/testkit';
import postgres, { type Sql } from 'postgres';
import { afterAll, beforeAll, expect, test, vi } from 'vitest';
import { newId } from '../new-id.ts';
import { type SqlTx, withTenant, withTenantsSql } from '../with-tenants.ts';
import { channelsOfAlerts } from './channels-for-delivery.ts';
import { insertDeliveries, type NewDelivery } from './deliveries.ts';
import { endDeliveries, lockOpenDeliveries } from './open-deliveries.ts';
import { lockDelivery, type ReopenedDelivery, reopenDelivery } from './reopen-delivery.ts';
import { finishTriggers, lockPendingTriggers } from './triggers.ts';
import { insertTriggers } from './triggers-of-run.ts';

const DAY_MS = 86_400_000;

let database: TestDatabase;
let admin: Sql;
let tenantId: string;
let channelId: string;

beforeAll(async () => {
  database = await testDatabase();
  admin = postgres(database.adminUrl, { max: 1 });
  ({ tenantId } = await makeTenant(database.db));
  channelId = newId();
  await asTenant(
    (sql) =>
      sql`insert into channels (tenant_id, id, key, name, kind, config, created_by, updated_by) values (${tenantId}, ${channelId}, 'in', 'In', 'inbox', '{}', 'me', 'me')`,
  );
});
afterAll(async () => {
  await admin.end();
  await database.drop();
});

const asTenant = <T>(work: (sql: SqlTx) => Promise<T>): Promise<T> => withTenantsSql(database.db, [tenantId], work);

const delivery = (alertId: string, triggerId: string, kind: MessageKind, suppressed: string | null): NewDelivery => ({
  tenantId,
  id: newId(),
  triggerId,
  alertId,
  channelId,
  channelKey: 'in',
  channelKind: 'inbox',
  kind,
  suppressed,
  lifetimeMs: DAY_MS,
  body: null,
  first: null,
});

/** An alert that is over: its beginning expired unsent, its end is not planned yet. */
async function scene(): Promise<{ alertId: string; fired: NewDelivery; resolved: string }> {
  const alertId = newId();
  const [begun, resolved] = [newId(), newId()];
  const fired = delivery(alertId, begun, 'fired', null);
  await asTenant(async (sql) => {
    await sql`
      insert into alerts (tenant_id, id, rule_id, rule_key, rule_name, series_key, labels, alert_type, status, severity, reading, started_at, last_slot_at)
      values (${tenantId}, ${alertId}, ${newId()}, 'slow', 'Slow', ${alertId}, '{}', 'threshold', 'resolved', 'warning', '{}', tocsin_now(), tocsin_now())`;
    const of = { tenantId, alertId, ruleId: newId(), severity: 'warning' as const, slotMs: 0, snapshot: {} as AlertSnapshot };
    await insertTriggers(sql, [
      { ...of, id: begun, seq: 1, kind: 'fired' },
      { ...of, id: resolved, seq: 2, kind: 'resolved' },
    ]);
    await finishTriggers(sql, [{ tenantId, triggerId: begun, suppressed: null }]);
    await insertDeliveries(sql, [fired]);
    await endDeliveries(sql, [{ tenantId, deliveryId: fired.id, status: 'dead', reason: 'expired' }]);
  });
  return { alertId, fired, resolved };
}

const reopen = (id: string, held: Promise<void> = Promise.resolve()): Promise<ReopenedDelivery> =>
  withTenant(database.db, tenantId, async (tx) => {
    await lockDelivery(tx, tenantId, id);
    const reopened = await reopenDelivery(tx, tenantId, id, DAY_MS);
    await held;
    return reopened;
  });

const somebodyWaits = (): Promise<void> =>
  vi.waitFor(
    async () => {
      const waiting = await admin`select from pg_stat_activity where datname = current_database() and wait_event_type = 'Lock'`;
      expect(waiting.length).toBeGreaterThan(0);
    },
    { timeout: 45_000, interval: 10 },
  );

test('an end that is being planned just now as never told is found by who reopens its beginning', async () => {
  const { alertId, fired, resolved } = await scene();
  const end = delivery(alertId, resolved, 'resolved', 'never_told');
  let reopening: Promise<ReopenedDelivery> | undefined;
  await asTenant(async (sql) => {
    await lockPendingTriggers(sql, [{ tenantId, triggerId: resolved }]);
    reopening = reopen(fired.id);
    await somebodyWaits();
    await insertDeliveries(sql, [end]);
    await finishTriggers(sql, [{ tenantId, triggerId: resolved, suppressed: 'never_told' }]);
  });
  expect(await reopening).toMatchObject({ delivery: { status: 'pending' }, endId: end.id });
});

test('an end that is planned while its beginning is being reopened waits for that, and finds it open', async () => {
  const { alertId, fired, resolved } = await scene();
  const held = Promise.withResolvers<void>();
  const reopening = reopen(fired.id, held.promise);
  await vi.waitFor(async () => {
    const [row] = await asTenant((sql) => sql`select from triggers where id = ${resolved} for no key update skip locked`);
    expect(row).toBeUndefined();
  });
  const heard = asTenant(async (sql) => {
    await lockPendingTriggers(sql, [{ tenantId, triggerId: resolved }]);
    return channelsOfAlerts(sql, [{ tenantId, alertId }]);
  });
  await somebodyWaits();
  held.resolve();
  expect(await reopening).toMatchObject({ endId: null });
  expect(await heard).toMatchObject([{ key: 'in', told: true }]);
});

test('who asked for an end before its beginning was reopened, and gets it after, finds that it is not yet due', async () => {
  const { alertId, fired, resolved } = await scene();
  const end = delivery(alertId, resolved, 'resolved', null);
  await asTenant((sql) => insertDeliveries(sql, [end]));
  await reopen(fired.id);
  const [open] = await asTenant((sql) => lockOpenDeliveries(sql, [{ tenantId, deliveryId: end.id }]));
  expect(open?.dueInMs).toBeGreaterThan(1_000);
});
