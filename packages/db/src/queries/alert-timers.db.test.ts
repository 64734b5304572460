import { makeTenant, testDatabase, type TestDatabase, slowReading } from '@tocsin/testkit';
import postgres from 'postgres';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { newId } from '../new-id.ts';
import { type SqlTx, withTenantsSql } from '../with-tenants.ts';
import { lockDueTimers } from './alert-timers.ts';
import { openAlerts } from './alerts-of-run.ts';

let database: TestDatabase;
let tenantId: string;

beforeAll(async () => {
  database = await testDatabase();
  ({ tenantId } = await makeTenant(database.db));
  const admin = postgres(database.adminUrl, { max: 1 });
  await admin`alter table tocsin.alert_timers drop constraint alert_timers_kind_check`;
  await admin.end();
});
afterAll(() => database.drop());

const asTenant = <T>(work: (sql: SqlTx) => Promise<T>): Promise<T> => withTenantsSql(database.db, [tenantId], work);

test('a timer of a kind that a newer process has set is nobody’s reminder', async () => {
  const alertId = newId();
  const reading = slowReading();
  const timers = { reminder: newId(), of_tomorrow: newId() };
  await asTenant(async (sql) => {
    const rule = { ruleId: newId(), ruleKey: 'slow', ruleName: 'Slow', seriesKey: '{}', labels: {} };
    const named = { alertType: 'threshold' as const, typeName: 'latency_high' as const, category: null };
    const alert = { tenantId, id: alertId, ...rule, ...named, severity: 'warning' as const, reading, startedMs: 0, breachedMs: 0 };
    await openAlerts(sql, [alert]);
    for (const [kind, id] of Object.entries(timers))
      await sql`insert into alert_timers (tenant_id, id, alert_id, kind, due_at) values (${tenantId}, ${id}, ${alertId}, ${kind}, tocsin_now())`;
  });
  const due = await asTenant((sql) => lockDueTimers(sql, tenantId, Object.values(timers)));
  expect(due.map(({ id }) => id)).toEqual([timers.reminder]);
  expect(due[0]?.alert).toMatchObject({ id: alertId, ruleName: 'Slow', alertType: 'threshold', status: 'triggered', reading });
});
