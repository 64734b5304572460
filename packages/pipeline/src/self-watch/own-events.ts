import { databaseNow, insertSegments, tenantExists, withTenant, withTenantsSql, type Database } from '@tocsin/db';
import { PLATFORM_TENANT_ID } from '@tocsin/domain';
import { encodeOwnEvents } from '@tocsin/events';

export interface OwnEvent {
  /** `tocsin.…`, which programs may not send. */
  name: string;
  dims: Record<string, string>;
  measures: Record<string, number>;
}

/** Stores measurements of the installation as events of its own tenant, of this moment. Nothing happens where that is not made yet. */
export async function recordOwnEvents(db: Database, events: readonly OwnEvent[]): Promise<void> {
  const nowMs = await withTenant(db, PLATFORM_TENANT_ID, async (tx) =>
    (await tenantExists(tx, PLATFORM_TENANT_ID)) ? databaseNow(tx) : null,
  );
  if (nowMs === null) return;
  const segments = encodeOwnEvents(
    PLATFORM_TENANT_ID,
    events.map((event) => ({ tsMs: nowMs, ...event })),
  );
  await withTenantsSql(db, [PLATFORM_TENANT_ID], (sql) => insertSegments(sql, segments));
}
