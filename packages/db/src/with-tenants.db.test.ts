import { makeTenant, passTime, testDatabase, type TestDatabase } from '@tocsin/testkit';
import { eq } from 'drizzle-orm';
import postgres from 'postgres';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { newId } from './new-id.ts';
import type { Database } from './open-database.ts';
import { copyRows } from './queries/copy-rows.ts';
import { sqlState } from './sql-state.ts';
import { rules } from './tables/rules.ts';
import { tenants } from './tables/tenants.ts';
import { setTenants, type SqlTx, withPipeline, withTenant, withTenants, withTenantsCopy, withTenantsSql } from './with-tenants.ts';

let test: TestDatabase;
let db: Database;
let a: string;
let b: string;

beforeAll(async () => {
  test = await testDatabase();
  db = test.db;
  a = (await makeTenant(db)).tenantId;
  b = (await makeTenant(db)).tenantId;
});

afterAll(() => test.drop());

const TABLES_WITHOUT_TENANT = ['migrations'];

async function tableNames(): Promise<string[]> {
  const rows = await db.sql<{ name: string }[]>`
    select relname as name from pg_class where relnamespace = 'tocsin'::regnamespace and relkind in ('r', 'p') and not relispartition order by 1`;
  return rows.map((row) => row.name).filter((name) => !TABLES_WITHOUT_TENANT.includes(name));
}

/** One row at least in every table of a tenant. */
async function fill(tenantId: string): Promise<void> {
  const [rule, alert, trigger, channel] = [newId(), newId(), newId(), newId()];
  await withTenantsSql(db, [tenantId], async (sql) => {
    await sql`insert into schedules (tenant_id, phase_ms) values (${tenantId}, 0) on conflict do nothing`;
    await sql`insert into api_keys (tenant_id, id, name, role, secret_hash, last_four) values (${tenantId}, ${newId()}, 'k', 'viewer', '\\x01', 'abcd')`;
    await sql`insert into rules (tenant_id, id, key, name, spec, created_by, updated_by) values (${tenantId}, ${rule}, ${rule}, 'R', '{}', 'me', 'me')`;
    await sql`
      insert into rule_costs (tenant_id, rule_id, ms, last_ms, segments, events, series, measured_at)
      values (${tenantId}, ${rule}, 1, 1, 1, 1, 1, tocsin_now())`;
    await sql`insert into installed_packs (tenant_id, key, digest, installed_by) values (${tenantId}, ${rule}, '', 'me')`;
    await sql`insert into rule_versions (tenant_id, rule_id, version, spec, created_by) values (${tenantId}, ${rule}, 1, '{}', 'me')`;
    await sql`
      insert into alerts (tenant_id, id, rule_id, rule_key, rule_name, series_key, labels, alert_type, status, severity, reading, started_at, last_slot_at)
      values (${tenantId}, ${alert}, ${rule}, 'r', 'R', '{}', '{}', 'threshold', 'triggered', 'warning', '{}', tocsin_now(), tocsin_now())`;
    await sql`
      insert into series_states (tenant_id, rule_id, series_key, labels, state, phase, last_seen_at)
      values (${tenantId}, ${rule}, '{}', '{}', '{}', 'ok', tocsin_now())`;
    await sql`
      insert into triggers (tenant_id, id, alert_id, rule_id, seq, kind, severity, slot_at, snapshot)
      values (${tenantId}, ${trigger}, ${alert}, ${rule}, 1, 'fired', 'warning', tocsin_now(), '{}')`;
    await sql`
      insert into archived_alerts (tenant_id, id, rule_id, rule_key, rule_name, series_key, labels, alert_type, type_name, status, severity, reading,
        started_at, last_slot_at, resolved_at, trigger_seq, version, timeline, deliveries)
      values (${tenantId}, ${newId()}, ${rule}, 'r', 'R', '{}', '{}', 'threshold', 'custom', 'resolved', 'warning', '{}', tocsin_now(), tocsin_now(), tocsin_now(),
        1, 1, '[]', '[]')`;
    await sql`
      insert into missed_alerts (tenant_id, id, from_at, to_at, labels, created_by) values (${tenantId}, ${newId()}, tocsin_now(), tocsin_now(), '{}', 'me')`;
    await sql`insert into alert_timers (tenant_id, id, alert_id, kind, due_at) values (${tenantId}, ${newId()}, ${alert}, 'reminder', tocsin_now())`;
    await sql`
      insert into channels (tenant_id, id, key, name, kind, config, created_by, updated_by) values (${tenantId}, ${channel}, 'c', 'C', 'webhook', '{}', 'me', 'me')
      on conflict do nothing`;
    await sql`
      insert into deliveries (tenant_id, id, trigger_id, alert_id, channel_key, channel_kind, kind, expires_at)
      values (${tenantId}, ${newId()}, ${trigger}, ${alert}, 'c', 'webhook', 'fired', tocsin_now())`;
    await sql`
      insert into channel_threads (tenant_id, channel_id, alert_id, thread)
      select tenant_id, id, ${alert}, '{}' from channels`;
    await sql`
      insert into message_windows (tenant_id, channel_id, scope, opened_at, messages)
      select tenant_id, id, ${rule}, tocsin_now(), 1 from channels`;
    await sql`
      insert into drills (tenant_id, id, channels, severity, is_scheduled, rule_id, started_by) values (${tenantId}, ${newId()}, '{c}', 'info', false, ${rule}, 'me')`;
    await sql`
      insert into drill_schedules (tenant_id, cron, time_zone, channels, severity, updated_by) values (${tenantId}, '@daily', 'UTC', '{c}', 'info', 'me')
      on conflict do nothing`;
    await sql`insert into notification_settings (tenant_id, updated_by) values (${tenantId}, 'me') on conflict do nothing`;
    await sql`insert into inbox (tenant_id, id, delivery_id, title, body) values (${tenantId}, ${newId()}, ${newId()}, 'T', '{}')`;
    await sql`
      insert into metric_definitions (tenant_id, id, key, name, query, every_ms, evaluation_delay_ms, created_by, updated_by)
      values (${tenantId}, ${newId()}, ${newId()}, 'M', '{}', 60000, 10000, 'me', 'me')`;
    await sql`
      insert into silences (tenant_id, id, matchers, comment, starts_at, ends_at, created_by, updated_by)
      values (${tenantId}, ${newId()}, '[]', '', tocsin_now(), tocsin_now(), 'me', 'me')`;
    await sql`
      insert into maintenance_windows (tenant_id, id, name, matchers, time_zone, start, duration_ms, recurrence, created_by, updated_by)
      values (${tenantId}, ${newId()}, 'W', '[]', 'UTC', '2026-01-01T00:00', 60000, '{}', 'me', 'me')`;
    await sql`
      insert into escalation_policies (tenant_id, key, name, position, matchers, steps, created_by, updated_by)
      values (${tenantId}, 'p', 'P', 0, '[]', '[]', 'me', 'me')
      on conflict do nothing`;
    await sql`
      insert into runbook_actions (tenant_id, key, name, matchers, events, channel_id, created_by, updated_by)
      select tenant_id, 'a', 'A', '[]', '[]', id, 'me', 'me' from channels where tenant_id = ${tenantId} limit 1`;
    const incident = newId();
    await sql`insert into incidents (tenant_id, id, opened_at, last_at, alerts) values (${tenantId}, ${incident}, tocsin_now(), tocsin_now(), 1)`;
    await sql`insert into incident_alerts (tenant_id, alert_id, incident_id) values (${tenantId}, ${alert}, ${incident})`;
    await sql`insert into notification_lists (tenant_id, kind, entries, updated_by) values (${tenantId}, 'routes', '[]', 'me')`;
    await sql`insert into idempotency_keys (tenant_id, route, key, request_hash) values (${tenantId}, 'r', ${newId()}, '\\x01')`;
    await sql`insert into event_names (tenant_id, name) values (${tenantId}, ${newId()})`;
    const key = newId();
    await sql`insert into hour_versions (tenant_id, hour_at) values (${tenantId}, tocsin_now())`;
    await sql`insert into partial_keys (tenant_id, key, kind, query) values (${tenantId}, ${key}, 'partial', '{}')`;
    await sql`insert into partials (tenant_id, key, hour_at, version, body) values (${tenantId}, ${key}, tocsin_now(), 0, '\\x01')`;
    await sql`
      insert into segments (tenant_id, starts_at, id, ends_at, stream, level, event_count, data)
      values (${tenantId}, tocsin_now(), ${newId()}, tocsin_now(), 'events', 0, 1, '\\x01')`;
    await sql`insert into runs (tenant_id, slot_at, id, status) values (${tenantId}, tocsin_now(), ${newId()}, 'queued')`;
    await sql`insert into alert_events (tenant_id, id, alert_id, kind) values (${tenantId}, ${newId()}, ${alert}, 'fired')`;
    await sql`insert into delivery_attempts (tenant_id, id, delivery_id, number) values (${tenantId}, ${newId()}, ${newId()}, 1)`;
    await sql`insert into audit_events (tenant_id, id, actor, action, subject) values (${tenantId}, ${newId()}, 'me', 'a', 's')`;
  });
}

describe('rows of a tenant', () => {
  beforeAll(async () => {
    await fill(a);
    await fill(b);
  });

  it('are seen by nobody while no tenant is set, before and after a transaction that had one', async () => {
    for (const table of await tableNames()) {
      expect(await db.sql`select tenant_id from ${db.sql(table)}`, table).toHaveLength(0);
      expect(await withPipeline(db, (sql) => sql`select tenant_id from ${sql(table)}`), table).toHaveLength(0);
      expect(await withTenantsSql(db, [], (sql) => sql`select tenant_id from ${sql(table)}`), table).toHaveLength(0);
    }
  });

  it('are seen by their tenant alone, in every table', async () => {
    for (const table of await tableNames()) {
      const seen = await withTenantsSql(
        db,
        [a],
        (sql) => sql<{ tenantId: string }[]>`select distinct tenant_id as "tenantId" from ${sql(table)}`,
      );
      expect(seen, table).toEqual([{ tenantId: a }]);
      const both = await withTenantsSql(db, [a, b], (sql) => sql`select distinct tenant_id from ${sql(table)}`);
      expect(both, table).toHaveLength(2);
    }
  });

  it('cannot be written for another tenant, in any table', async () => {
    for (const table of await tableNames()) {
      const moved = withTenantsSql(db, [a], async (sql) => {
        const [row] = await sql<Record<string, string>[]>`select * from ${sql(table)} limit 1`;
        const { series_digest: _generated, ...columns } = row!;
        return sql`insert into ${sql(table)} ${sql({ ...columns, tenant_id: b })}`;
      });
      await expect(moved, table).rejects.toMatchObject({ code: '42501' });
    }
  });

  it('cannot be changed or deleted by another tenant', async () => {
    const changed = await withTenantsSql(db, [a], (sql) => sql`update rules set name = 'taken' where tenant_id = ${b}`);
    const deleted = await withTenantsSql(db, [a], (sql) => sql`delete from channels where tenant_id = ${b}`);
    expect([changed.count, deleted.count]).toEqual([0, 0]);
    await expect(withTenantsSql(db, [a], (sql) => sql`update rules set tenant_id = ${b}`)).rejects.toMatchObject({ code: '42501' });
  });

  it('cannot be referred to by another tenant', async () => {
    const [foreign] = await withTenantsSql(db, [b], (sql) => sql<{ id: string }[]>`select id from rules`);
    const referred = withTenantsSql(
      db,
      [a],
      (sql) => sql`insert into rule_versions (tenant_id, rule_id, version, spec, created_by) values (${a}, ${foreign!.id}, 9, '{}', 'me')`,
    );
    await expect(referred).rejects.toMatchObject({ code: '23503' });
  });

  it('do not stop another tenant from using the same keys', async () => {
    for (const tenantId of [a, b]) {
      await withTenantsSql(db, [tenantId], (sql) => sql`insert into event_names (tenant_id, name) values (${tenantId}, 'checkout')`);
    }
  });

  it('cannot be reached through the day they are stored in', async () => {
    const [day] = await db.sql<{ name: string }[]>`select to_char(now() at time zone 'UTC', '"segments_"YYYYMMDD') as name`;
    await expect(withTenantsSql(db, [a], (sql) => sql`select * from ${sql(day!.name)}`)).rejects.toMatchObject({ code: '42501' });
    const owner = postgres(test.adminUrl, { max: 1, onnotice: () => {} });
    try {
      await owner`set role tocsin_owner`;
      expect(await owner`select * from tocsin.${owner(day!.name)}`).toHaveLength(0);
    } finally {
      await owner.end();
    }
  });
});

describe('a door', () => {
  it('refuses what is no UUID before anything is sent', async () => {
    for (const id of ["x'; drop table tenants; --", `${a},${b}`, '', ' ', `${a}\n`]) {
      expect(() => withTenants(db, [id], async () => {}), id).toThrow(TypeError);
      await expect(async () => withTenantsSql(db, [a, id], async () => {}), id).rejects.toThrow(TypeError);
      await expect(
        withTenantsCopy(db, [id], async () => {}),
        id,
      ).rejects.toThrow(TypeError);
    }
  });

  it('undoes everything when its work throws, whichever door', async () => {
    const name = newId();
    const boom = new Error('boom');
    await expect(
      withTenantsSql(db, [a], async (sql) => {
        await sql`insert into event_names (tenant_id, name) values (${a}, ${name})`;
        throw boom;
      }),
    ).rejects.toBe(boom);
    await expect(
      withTenant(db, a, async (tx) => {
        await tx.update(tenants).set({ name }).where(eq(tenants.tenantId, a));
      }),
    ).rejects.toSatisfy((error) => sqlState(error) === '42501');
    expect(await withTenantsSql(db, [a], (sql) => sql`select from event_names where name = ${name}`)).toHaveLength(0);
  });

  it('widens a pipeline transaction to the tenants it was given', async () => {
    const seen = await withPipeline(db, async (sql) => {
      const before = await sql`select from tenants`;
      await setTenants(sql, [a]);
      return [before.length, (await sql`select from tenants`).length];
    });
    expect(seen).toEqual([0, 1]);
  });

  it('moves the database clock by the shift, in each kind of transaction', async () => {
    const day = 86_400_000;
    await passTime(db, 40 * day);
    try {
      const [raw] = await withTenantsSql(db, [a], (sql) => sql<{ now: number }[]>`select tocsin_now() as now`);
      const copy = await withTenantsCopy(db, [a], async (client) => (await client.query('select tocsin_now() as now')).rows);
      await withTenant(db, a, async (tx) => {
        await tx
          .insert(rules)
          .values({ tenantId: a, id: newId(), key: 'later', name: 'Later', spec: {}, createdBy: 'me', updatedBy: 'me' });
      });
      const [row] = await withTenant(db, a, (tx) => tx.select().from(rules).where(eq(rules.key, 'later')));
      for (const now of [raw!.now, copy[0].now, row!.createdAtMs]) expect(Math.abs(now - Date.now() - 40 * day)).toBeLessThan(60_000);
      await withTenantsSql(
        db,
        [a],
        (sql) => sql`insert into audit_events (tenant_id, id, actor, action, subject) values (${a}, ${newId()}, 'me', 'a', 's')`,
      );
    } finally {
      db.clock.shiftMs = 0;
    }
    const [now] = await withTenantsSql(db, [a], (sql) => sql<{ now: number }[]>`select tocsin_now() as now`);
    expect(Math.abs(now!.now - Date.now())).toBeLessThan(60_000);
  });

  it('copies one snapshot, and cannot write', async () => {
    const rows = await withTenantsCopy(db, [b], async (client) => {
      const copied: string[] = [];
      await copyRows(client, 'select tenant_id::text from tenants', (bytes, [end]) => copied.push(bytes.toString('utf8', end! - 36, end)));
      return copied;
    });
    expect(rows).toEqual([b]);
    await expect(withTenantsCopy(db, [b], (client) => client.query('delete from inbox'))).rejects.toMatchObject({ code: '25006' });
    const isolation = await withTenantsCopy(db, [b], async (client) => (await client.query('show transaction_isolation')).rows[0]);
    expect(isolation).toEqual({ transaction_isolation: 'repeatable read' });
  });

  it('never hands on a connection whose copy was left half read', async () => {
    const abandoned = withTenantsCopy(db, [a], (client) =>
      copyRows(client, 'select generate_series(1, 1000000)', () => {
        throw new Error('enough');
      }),
    );
    await expect(abandoned).rejects.toThrow('enough');
    expect(await withTenantsCopy(db, [b], async (client) => (await client.query('select tenant_id from tenants')).rows)).toEqual([
      { tenant_id: b },
    ]);
  });

  it('keeps tenants apart when many share few connections', async () => {
    const own = (id: string) => withTenantsSql(db, [id], (sql) => sql<{ id: string }[]>`select tenant_id as id from tenants`);
    const answers = await Promise.all(Array.from({ length: 200 }, (_, n) => own(n % 2 === 0 ? a : b)));
    expect(answers.every((rows, n) => rows.length === 1 && rows[0]!.id === (n % 2 === 0 ? a : b))).toBe(true);
  });
});

describe('the raw client', () => {
  it('carries times as epoch milliseconds, int8 as numbers and jsonb as objects, both ways', async () => {
    const atMs = Date.UTC(2026, 10, 20, 12, 34, 56, 789);
    const [row] = await db.sql<object[]>`
      select ${atMs}::timestamptz as at, ${2 ** 53 - 1}::int8 as big, ${{ deep: [1, null] } as never}::jsonb as json, ${null}::timestamptz as none,
        to_timestamp((${[atMs, 0]}::float8[])[1] / 1000) as "fromFloat", ${Buffer.from([0, 34, 92, 255])}::bytea as bytes`;
    expect(row).toEqual({
      at: atMs,
      big: 2 ** 53 - 1,
      json: { deep: [1, null] },
      none: null,
      fromFloat: atMs,
      bytes: Buffer.from([0, 34, 92, 255]),
    });
  });

  it('refuses a time that is none', async () => {
    await expect(db.sql`select ${Number.NaN}::timestamptz`).rejects.toThrow(RangeError);
    await expect(db.sql`select 'infinity'::timestamptz`).rejects.toThrow(RangeError);
  });
});

it('work whose tenants could not be set does nothing, and says why', async () => {
  const { tenantId } = await makeTenant(db);
  const begin = (work: (sql: SqlTx) => Promise<unknown>) =>
    db.sql.begin((sql) => work(Object.assign(sql, { unsafe: () => sql`select 1 / 0` })));
  const broken: Database = { ...db, sql: Object.assign(() => {}, { begin }) as unknown as Database['sql'] };
  const rename = (sql: SqlTx) => sql`update tenants set name = 'changed' where tenant_id = ${tenantId}`;
  await expect(withTenantsSql(broken, [tenantId], rename)).rejects.toMatchObject({ code: '22012' });
  const rows = await withTenantsSql(db, [tenantId], (sql) => sql`select name from tenants where name = 'changed'`);
  expect(rows).toEqual([]);
});
