import { randomBytes } from 'node:crypto';
import { makeTenant, testDatabase, type TestDatabase } from '@tocsin/testkit';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { newId } from './new-id.ts';
import type { Database } from './open-database.ts';
import { type SqlTx, withTenantsSql } from './with-tenants.ts';

let test: TestDatabase;
let db: Database;
let tenantId: string;

beforeAll(async () => {
  test = await testDatabase();
  db = test.db;
  tenantId = (await makeTenant(db)).tenantId;
});

afterAll(() => test.drop());

const asTenant = <T>(work: (sql: SqlTx) => Promise<T>): Promise<T> => withTenantsSql(db, [tenantId], work);

const openAlert = (ruleId: string, seriesKey: string, resolved = false) =>
  asTenant(
    (sql) => sql`
      insert into alerts (tenant_id, id, rule_id, rule_key, rule_name, series_key, labels, alert_type, status, severity, reading, started_at, last_slot_at,
        resolved_at)
      values (${tenantId}, ${newId()}, ${ruleId}, 'r', 'R', ${seriesKey}, '{}', 'threshold', 'triggered', 'warning', '{}', tocsin_now(), tocsin_now(),
        ${resolved ? 0 : null}::timestamptz)`,
  );

describe('the tables', () => {
  it('hold a series whose key is longer than an index entry may be', async () => {
    const ruleId = newId();
    // 8 dimensions of 1 KiB that nothing can compress
    const seriesKey = JSON.stringify(
      Object.fromEntries(Array.from({ length: 8 }, (_, n) => [`d${n}`, randomBytes(768).toString('base64')])),
    );
    await asTenant(async (sql) => {
      await sql`insert into rules (tenant_id, id, key, name, spec, created_by, updated_by) values (${tenantId}, ${ruleId}, ${ruleId}, 'R', '{}', 'me', 'me')`;
      await sql`
        insert into series_states (tenant_id, rule_id, series_key, labels, state, phase, last_seen_at)
        values (${tenantId}, ${ruleId}, ${seriesKey}, '{}', '{}', 'ok', tocsin_now())`;
    });
    await openAlert(ruleId, seriesKey);
  });

  it('hold one open alert per rule and series, and any number that are over', async () => {
    const ruleId = newId();
    await openAlert(ruleId, '{"op":"a"}');
    await openAlert(ruleId, '{"op":"b"}');
    await openAlert(ruleId, '{"op":"a"}', true);
    await openAlert(ruleId, '{"op":"a"}', true);
    await expect(openAlert(ruleId, '{"op":"a"}')).rejects.toMatchObject({ code: '23505', constraint_name: 'alerts_one_open' });
  });

  it('keep the deliveries of a channel that is deleted, which may be any number, as they are', async () => {
    const [channelId, deliveryId] = [newId(), newId()];
    const [row] = await asTenant(async (sql) => {
      await sql`
        insert into channels (tenant_id, id, key, name, kind, config, created_by, updated_by)
        values (${tenantId}, ${channelId}, 'c', 'C', 'webhook', '{}', 'me', 'me')`;
      await sql`
        insert into deliveries (tenant_id, id, channel_id, channel_key, channel_kind, kind, expires_at)
        values (${tenantId}, ${deliveryId}, ${channelId}, 'c', 'webhook', 'test', tocsin_now())`;
      await sql`delete from channels where id = ${channelId}`;
      return sql`select tenant_id as "tenantId", channel_id as "channelId", channel_key as "channelKey" from deliveries where id = ${deliveryId}`;
    });
    expect(row).toEqual({ tenantId, channelId, channelKey: 'c' });
  });

  it('stamp whole milliseconds, so that a time read is the time stored', async () => {
    const [row] = await asTenant((sql) => sql<{ at: number }[]>`select created_at as at from tenants`);
    const found = await asTenant((sql) => sql`select from tenants where created_at = ${row!.at}::timestamptz`);
    expect(found).toHaveLength(1);
  });

  it('refuse a name for a tenant that another has', async () => {
    const { externalKey } = await makeTenant(db);
    const id = newId();
    const taken = withTenantsSql(
      db,
      [id],
      (sql) => sql`insert into tenants (tenant_id, name, external_key) values (${id}, 'N', ${externalKey})`,
    );
    await expect(taken).rejects.toMatchObject({ code: '23505' });
  });
});
