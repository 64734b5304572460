import { parseDuration, phaseOf, slotAfter, stepOf, type ActiveHours, type Calendar } from '@tocsin/domain';
import { sql } from 'drizzle-orm';
import type { DrizzleTx } from '../with-tenants.ts';

interface Row extends Record<string, unknown> {
  now_ms: number;
  every_ms: number;
  next_ms: number | null;
  last_ms: number | null;
  has_rules: boolean;
  everies: string[] | null;
  debounce_ms: number;
  time_zone: string;
  cron: string | null;
  active_hours: string;
  paused_until_ms: number | null;
}

const DAY_MS = 86_400_000;

/**
 * Makes the tenant's slots as fine as the smallest `every` of its enabled rules, unless it has a cron, and stops them when there is none.
 * Whoever changes a rule's `every`, enables, disables, adds or deletes a rule, or changes the schedule calls it in the same transaction.
 * A slot that has fallen due but is not claimed yet stays due.
 */
export async function refreshSchedule(tx: DrizzleTx, tenantId: string): Promise<void> {
  const rows = await tx.execute<Row>(sql`
    insert into schedules (tenant_id, phase_ms) values (${tenantId}::uuid, ${phaseOf(tenantId)}::bigint)
    on conflict (tenant_id) do update set updated_at = tocsin_now()
    returning (extract(epoch from tocsin_now()) * 1000)::float8 as now_ms, every_ms::float8 as every_ms,
      (extract(epoch from next_slot_at) * 1000)::float8 as next_ms, (extract(epoch from last_slot_at) * 1000)::float8 as last_ms,
      debounce_ms::float8 as debounce_ms, time_zone, cron, active_hours::text as active_hours,
      (extract(epoch from paused_until) * 1000)::float8 as paused_until_ms,
      exists (select from rules where rules.tenant_id = ${tenantId}::uuid and enabled) as has_rules,
      (select array_agg(distinct spec ->> 'every') filter (where spec ->> 'every' is not null)
       from rules where rules.tenant_id = ${tenantId}::uuid and enabled) as everies`);
  const row = rows[0];
  if (row === undefined) throw new Error('a schedule that was written came back as no row');
  const calendar = calendarOf(row, tenantId);
  const slotEveryMs = stepOf({ ...calendar, debounceMs: 0 }, row.now_ms) ?? DAY_MS;
  // One before an unclaimed due slot, so that the next slot is never later than it; never back at a slot that was claimed.
  const fromMs = Math.max(Math.min(row.now_ms, row.next_ms === null ? row.now_ms : row.next_ms - 1), row.last_ms ?? 0);
  const nextMs = row.has_rules ? slotAfter(calendar, fromMs, row.last_ms) : null;
  await tx.execute(sql`
    update schedules set slot_every_ms = ${slotEveryMs}::bigint, next_slot_at = to_timestamp(${nextMs}::float8 / 1000)
    where tenant_id = ${tenantId}::uuid`);
}

const calendarOf = (row: Row, tenantId: string): Calendar => ({
  everyMs: Math.min(row.every_ms, ...(row.everies ?? []).map((every) => parseDuration(every) ?? row.every_ms)),
  phaseMs: phaseOf(tenantId),
  debounceMs: row.debounce_ms,
  timeZone: row.time_zone,
  cron: row.cron,
  activeHours: JSON.parse(row.active_hours) as ActiveHours[],
  pausedUntilMs: row.paused_until_ms,
});
