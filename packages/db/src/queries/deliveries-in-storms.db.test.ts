import { makeTenant, testDatabase, type TestDatabase } from '@tocsin/testkit';
import postgres from 'postgres';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { newId } from '../new-id.ts';
import { type SqlTx, withTenantsSql } from '../with-tenants.ts';
import { leaseDeliveries, renewDeliveryLeases, settleDeliveries } from './delivery-attempts.ts';
import { type DeliveryRef, lockOpenDeliveries, postponeDeliveries, wakeResolved } from './open-deliveries.ts';

// The planner knows nothing of these rows: in a storm its figures are from before it.

const WAITING = 3_000;
const FEW = 100;
const LEASE_MS = 10_000;

let test: TestDatabase;
let tenantId: string;
let some: DeliveryRef[];
/**
 * Before PostgreSQL 17 a planner without figures counts a list as so many searches of the index and goes by the tenant instead: right, and no
 * more than the tenant's rows once for each of the few.
 */
let atMost: number;

beforeAll(async () => {
  test = await testDatabase();
  const admin = postgres(test.adminUrl, { max: 1 });
  await admin`alter table tocsin.deliveries set (autovacuum_enabled = off)`;
  await admin.end();
  ({ tenantId } = await makeTenant(test.db));
  await asTenant(
    (sql) => sql`
      insert into deliveries (tenant_id, id, channel_id, channel_key, channel_kind, kind, expires_at)
      select ${tenantId}, gen_random_uuid(), ${newId()}::uuid, 'hook', 'webhook', 'test', tocsin_now() + interval '1 day' from generate_series(1, ${WAITING})`,
  );
  some = await asTenant(
    (sql) => sql<DeliveryRef[]>`select tenant_id as "tenantId", id as "deliveryId" from deliveries order by id limit 5`,
  );
  const [server] = await test.db.sql<{ version: number }[]>`select current_setting('server_version_num')::int as version`;
  atMost = server!.version >= 170_000 ? FEW : WAITING * some.length + FEW;
}, 120_000);

afterAll(() => test.drop());

const asTenant = <T>(work: (sql: SqlTx) => Promise<T>): Promise<T> => withTenantsSql(test.db, [tenantId], work);

/** How many rows of the table the work read, however it found them. */
async function rowsRead(work: (sql: SqlTx) => Promise<unknown>): Promise<number> {
  return asTenant(async (sql) => {
    const count = async (): Promise<number> => {
      const [row] = await sql<{ read: number }[]>`
        select (seq_tup_read + idx_tup_fetch)::int as read from pg_stat_xact_all_tables where schemaname = 'tocsin' and relname = 'deliveries'`;
      return row!.read;
    };
    const before = await count();
    await work(sql);
    return (await count()) - before;
  });
}

describe('where thousands of deliveries wait, some', () => {
  it('are locked, leased, renewed, settled and put off without reading the others', async () => {
    expect(await rowsRead((sql) => lockOpenDeliveries(sql, some))).toBeLessThan(atMost);
    const leases = some.map((ref) => ({ ...ref, token: newId(), leaseMs: LEASE_MS, body: '{}', attemptId: newId() }));
    let attempts = new Map<string, { startedMs: number }>();
    expect(await rowsRead(async (sql) => void (attempts = await leaseDeliveries(sql, leases)))).toBeLessThan(atMost);
    expect(attempts.size).toBe(some.length);
    expect(await rowsRead((sql) => renewDeliveryLeases(sql, leases))).toBeLessThan(atMost);

    const outcomes = leases.map(({ deliveryId, token, attemptId }) => ({
      tenantId,
      deliveryId,
      token,
      status: 'retrying' as const,
      reason: 'http_500',
      nextInMs: 5_000,
      isCounted: true,
      attempt: {
        id: attemptId,
        startedMs: attempts.get(deliveryId)!.startedMs,
        outcome: 'retry' as const,
        statusCode: 500,
        reason: 'http_500',
        retryAfterMs: null,
        responseExcerpt: null,
      },
    }));
    let settled = 0;
    expect(await rowsRead(async (sql) => void (settled = (await settleDeliveries(sql, outcomes)).size))).toBeLessThan(atMost);
    expect(settled).toBe(some.length);
    const postponed = some.map((ref) => ({ ...ref, byMs: 1_000 }));
    expect(await rowsRead((sql) => postponeDeliveries(sql, postponed))).toBeLessThan(atMost);
  });

  it('are locked, and their ends looked for and woken, by a planner who thinks of a day when all had ended', async () => {
    const admin = postgres(test.adminUrl, { max: 1 });
    await admin`delete from tocsin.deliveries`;
    // the alerts themselves are of no matter here
    await admin`set session_replication_role = replica`;
    const put = (status: 'delivered' | 'pending') =>
      admin`
        insert into tocsin.deliveries (tenant_id, id, alert_id, channel_id, channel_key, channel_kind, kind, expires_at, status, finished_at)
        select ${tenantId}, gen_random_uuid(), gen_random_uuid(), ${newId()}::uuid, 'hook', 'webhook', 'fired', now() + interval '1 day', ${status},
               ${status === 'delivered' ? new Date() : null}
        from generate_series(1, ${WAITING})`;
    await put('delivered');
    await admin`analyze tocsin.deliveries`;
    await put('pending');
    await admin.end();
    const waiting = await asTenant(
      (sql) => sql<(DeliveryRef & { alertId: string; channelId: string })[]>`
        select tenant_id as "tenantId", id as "deliveryId", alert_id as "alertId", channel_id as "channelId"
        from deliveries where status = 'pending' order by id limit 5`,
    );
    expect(await rowsRead((sql) => lockOpenDeliveries(sql, waiting))).toBeLessThan(FEW);
    const over = waiting.map(({ deliveryId: overId, ...rest }) => ({ ...rest, overId, channelKey: 'hook' }));
    expect(await rowsRead((sql) => wakeResolved(sql, over))).toBeLessThan(FEW);
  });
});
