import { makeTenant, passTime, testDatabase, type TestDatabase } from '@tocsin/testkit';
import postgres from 'postgres';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { newId } from './new-id.ts';
import type { Database } from './open-database.ts';
import { ensurePartitions } from './queries/partitions.ts';
import { sqlState } from './sql-state.ts';
import { type SqlTx, withPipeline, withTenantsSql } from './with-tenants.ts';

const DAY_MS = 86_400_000;

let test: TestDatabase;
let db: Database;
let admin: postgres.Sql;
let tenantId: string;

beforeAll(async () => {
  test = await testDatabase();
  db = test.db;
  admin = postgres(test.adminUrl, { max: 2, onnotice: () => {} });
  tenantId = (await makeTenant(db)).tenantId;
});

afterAll(async () => {
  await admin.end();
  await test.drop();
});

beforeEach(() => {
  db.clock.shiftMs = 0;
});

const segmentAt = (sql: SqlTx, startsAtMs: number) => sql`
  insert into segments (tenant_id, starts_at, id, ends_at, stream, level, event_count, data)
  values (${tenantId}, ${startsAtMs}::timestamptz, ${newId()}, ${startsAtMs}::timestamptz, 'events', 0, 1, '\\x01')`;

const ensure = (fromMs: number, toMs: number, table: string | null = null) =>
  withPipeline(
    db,
    (sql) => sql<{ made: number }[]>`select ensure_partitions(${fromMs}::timestamptz, ${toMs}::timestamptz, ${table}) as made`,
  );

const dropOldest = (table: string, before: number) =>
  withPipeline(db, (sql) => sql<{ name: string | null }[]>`select drop_oldest_partition(${table}, ${before}::timestamptz) as name`);

const countOfDays = async (table: string): Promise<number> => {
  const [row] = await admin<{ n: number }[]>`select count(*)::int as n from pg_inherits where inhparent = ${`tocsin.${table}`}::regclass`;
  return row!.n;
};

const dayName = (table: string, ms: number): string => `${table}_${new Date(ms).toISOString().slice(0, 10).replaceAll('-', '')}`;

/** Resolves once a transaction holds what `work` takes; it ends when `finish` is called. */
async function openTransaction(work: (sql: SqlTx) => Promise<unknown>): Promise<{ finish: () => Promise<void> }> {
  const { promise: held, resolve: holding, reject } = Promise.withResolvers<void>();
  const { promise: over, resolve: finish } = Promise.withResolvers<void>();
  const done = withTenantsSql(db, [tenantId], async (sql) => {
    await work(sql);
    holding();
    await over;
  });
  done.catch(reject);
  await held;
  return {
    finish: async () => {
      finish();
      await done;
    },
  };
}

describe('the days that may be written to', () => {
  it('reach back to the retention for events and a week ahead for everything', async () => {
    const now = Date.now();
    await withTenantsSql(db, [tenantId], async (sql) => {
      for (const ms of [now - 30 * DAY_MS, now, now + 7 * DAY_MS]) await segmentAt(sql, ms);
      for (const ms of [now - 3 * DAY_MS, now + 7 * DAY_MS]) {
        await sql`insert into runs (tenant_id, slot_at, id, status) values (${tenantId}, ${ms}::timestamptz, ${newId()}, 'queued')`;
      }
    });
    await expect(withTenantsSql(db, [tenantId], (sql) => segmentAt(sql, now + 9 * DAY_MS))).rejects.toThrow(/no partition of relation/);
  });

  it('reach back over the longest retention there may be', async () => {
    await ensurePartitions(db, 400 * DAY_MS);
    await withTenantsSql(db, [tenantId], (sql) => segmentAt(sql, Date.now() - 400 * DAY_MS));
  });

  it('follow a shifted clock when time is passed', async () => {
    await passTime(db, 50 * DAY_MS);
    await withTenantsSql(
      db,
      [tenantId],
      (sql) => sql`insert into audit_events (tenant_id, id, actor, action, subject) values (${tenantId}, ${newId()}, 'me', 'a', 's')`,
    );
  });

  it('start and end at midnight UTC, whatever the zone of the session', async () => {
    const midnight = Date.UTC(2030, 0, 1);
    await withPipeline(db, async (sql) => {
      await sql`set local timezone = 'Pacific/Kiritimati'`;
      await sql`select ensure_partitions(${midnight}::timestamptz, ${midnight}::timestamptz, 'segments')`;
    });
    await withTenantsSql(db, [tenantId], (sql) => segmentAt(sql, midnight + DAY_MS - 1));
    await expect(withTenantsSql(db, [tenantId], (sql) => segmentAt(sql, midnight - 1))).rejects.toThrow(/no partition/);
    await expect(withTenantsSql(db, [tenantId], (sql) => segmentAt(sql, midnight + DAY_MS))).rejects.toThrow(/no partition/);
  });

  it('are made once by many at the same time', async () => {
    const from = Date.UTC(2031, 0, 1);
    const made = await Promise.all(Array.from({ length: 4 }, () => ensure(from, from + 9 * DAY_MS, 'runs')));
    expect(made.reduce((sum, [row]) => sum + row!.made, 0)).toBe(10);
  });

  it('cannot be made without end, nor by anybody else', async () => {
    await expect(ensure(0, Date.now())).rejects.toMatchObject({ code: '22023' });
    const queue = postgres(test.queueUrl, { max: 1 });
    await expect(queue`select tocsin.ensure_horizon()`).rejects.toMatchObject({ code: '42501' });
    await queue.end();
  });

  it('are protected from the moment they are attached, with the storage and keys of their table', async () => {
    const day = Date.UTC(2032, 0, 1);
    await ensure(day, day, 'segments');
    const [made] = await admin`
      select relrowsecurity and relforcerowsecurity as forced, relacl::text as granted, pg_get_userbyid(relowner) as owner,
        (select count(*)::int from pg_policy where polrelid = c.oid) as policies, (select attstorage from pg_attribute where attrelid = c.oid and attname = 'data') as storage,
        (select count(*)::int from pg_index where indrelid = c.oid and indisprimary) as keys
      from pg_class c where relname = ${dayName('segments', day)}`;
    expect(made).toEqual({ forced: true, granted: null, owner: 'tocsin_owner', policies: 1, storage: 'e', keys: 1 });
  });
});

describe('under load', () => {
  it('a new day is made while others write and read, and waits for none of them', async () => {
    const now = Date.now();
    const writer = await openTransaction((sql) => segmentAt(sql, now));
    const reader = await openTransaction((sql) => sql`select count(*) from segments`);
    try {
      const day = Date.UTC(2033, 0, 1);
      expect((await ensure(day, day + 2 * DAY_MS, 'segments'))[0]!.made).toBe(3);
      await withTenantsSql(db, [tenantId], (sql) => segmentAt(sql, day));
    } finally {
      await Promise.all([writer.finish(), reader.finish()]);
    }
  });

  it('dropping a day gives up after 200 ms rather than make the others queue behind it, and works when its turn comes', async () => {
    const before = Date.now() - 28 * DAY_MS;
    const days = await countOfDays('segments');
    const [oldest] = await db.sql<{ name: string }[]>`select min(relname) as name from pg_class where relname ~ '^segments_[0-9]{8}$'`;
    const reader = await openTransaction((sql) => sql`select count(*) from segments`);
    try {
      const startedMs = performance.now();
      const [dropped, written] = await Promise.allSettled([
        dropOldest('segments', before),
        withTenantsSql(db, [tenantId], (sql) => segmentAt(sql, Date.now())),
      ]);
      expect(performance.now() - startedMs).toBeLessThan(20_000);
      expect(dropped).toMatchObject({ status: 'rejected', reason: { code: '55P03' } });
      expect(written.status).toBe('fulfilled');
      expect(await countOfDays('segments')).toBe(days);
    } finally {
      await reader.finish();
    }
    expect(await dropOldest('segments', before)).toEqual([oldest]);
  });

  it('a stream of short transactions does not starve a drop that is tried again, and none of them fails', async () => {
    let isOver = false;
    let written = 0;
    const writers = Array.from({ length: 3 }, async () => {
      while (!isOver) {
        await withTenantsSql(db, [tenantId], async (sql) => {
          await segmentAt(sql, Date.now());
          await sql`select pg_sleep(0.02)`;
        });
        written += 1;
      }
    });
    let drops = 0;
    try {
      for (let attempt = 0; attempt < 50 && drops < 3; attempt += 1) {
        const dropped = await dropOldest('segments', Date.now() - 20 * DAY_MS).catch((error: unknown) => {
          if (sqlState(error) !== '55P03') throw error;
          return null;
        });
        if (dropped !== null) drops += 1;
      }
    } finally {
      isOver = true;
      await Promise.all(writers);
    }
    expect(drops).toBe(3);
    expect(written).toBeGreaterThan(0);
    const [rows] = await withTenantsSql(
      db,
      [tenantId],
      (sql) =>
        sql<
          { n: number }[]
        >`select count(*) as n from segments where starts_at > ${Date.now() - DAY_MS}::timestamptz and starts_at < ${Date.now() + DAY_MS}::timestamptz`,
    );
    expect(rows!.n).toBeGreaterThanOrEqual(written);
  });
});

describe('a day that is over', () => {
  it('is dropped oldest first, until none ended before the time given', async () => {
    await passTime(db, 3 * DAY_MS);
    const now = Date.now() + db.clock.shiftMs;
    const names: (string | null)[] = [];
    do names.push((await dropOldest('audit_events', now - 3 * DAY_MS))[0]!.name);
    while (names.at(-1) !== null);
    expect(names).toEqual([
      dayName('audit_events', now - 6 * DAY_MS),
      dayName('audit_events', now - 5 * DAY_MS),
      dayName('audit_events', now - 4 * DAY_MS),
      null,
    ]);
  });

  it('is never the last day’s, whatever is asked', async () => {
    await expect(dropOldest('segments', Date.now() + 365 * DAY_MS)).rejects.toMatchObject({ code: '22023' });
  });

  it('is never one of a table that has no days', async () => {
    expect(await dropOldest('rules', Date.now() - 2 * DAY_MS)).toEqual([{ name: null }]);
    expect(await dropOldest("x'; drop table tocsin.rules; --", Date.now() - 2 * DAY_MS)).toEqual([{ name: null }]);
  });
});
