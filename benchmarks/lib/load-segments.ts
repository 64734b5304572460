import { insertSegments, type NewSegment, withTenantsSql } from '@tocsin/db';
import postgres from 'postgres';
import type { BenchDatabase } from './bench-database.ts';
import { spansOf, type Spans, spansPerMinute } from './span-data.ts';
import { segmentOf } from './span-segments.ts';

/** 6 million events in the hour. */
export const EVENTS_PER_MINUTE = 100_000;
/** An hour before each of the slots that are evaluated. */
const MINUTES = 67;
const MINUTE = 60_000;
const TENANTS_PER_INSERT = 100;

/** The spans of one of so many tenants, up to the minute of `endMs`, minute by minute. */
export function* tenantSpans(tenant: number, tenants: number, endMs: number): Generator<Spans> {
  const count = spansPerMinute(tenants, EVENTS_PER_MINUTE)[tenant]!;
  for (let minute = 0; minute < MINUTES; minute++) yield spansOf(tenant, minuteMs(minute, endMs), count);
}

/** Stores all tenants' segments minute by minute, as they would arrive: a tenant's do not lie side by side. */
export async function loadSegments(
  { db }: BenchDatabase,
  tenantIds: readonly string[],
  endMs: number,
  eventsPerMinute = EVENTS_PER_MINUTE,
): Promise<void> {
  const counts = spansPerMinute(tenantIds.length, eventsPerMinute);
  for (let minute = 0; minute < MINUTES; minute++) {
    for (let from = 0; from < tenantIds.length; from += TENANTS_PER_INSERT) {
      const some = tenantIds.slice(from, from + TENANTS_PER_INSERT);
      const segments = some.map((tenantId, at): NewSegment =>
        segmentOf(tenantId, spansOf(from + at, minuteMs(minute, endMs), counts[from + at]!)),
      );
      await withTenantsSql(db, some, (sql) => insertSegments(sql, segments));
    }
  }
}

const minuteMs = (minute: number, endMs: number): number => Math.floor(endMs / MINUTE) * MINUTE - (MINUTES - 1 - minute) * MINUTE;

/** What the server has to do after a bulk load is not to be counted as what follows. */
export async function settle({ adminUrl }: BenchDatabase): Promise<void> {
  const sql = postgres(adminUrl, { max: 1, onnotice: () => {} });
  await sql`vacuum analyze tocsin.segments`;
  await sql`checkpoint`;
  await sql.end();
}
