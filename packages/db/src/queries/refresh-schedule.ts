import { nextSlot, parseDuration, phaseOf } from '@tocsin/domain';
import { sql } from 'drizzle-orm';
import type { DrizzleTx } from '../with-tenants.ts';

interface Row extends Record<string, unknown> {
  now_ms: number;
  every_ms: number;
  next_ms: number | null;
  last_ms: number | null;
  has_rules: boolean;
  everies: string[] | null;
}

/**
 * Makes the tenant's slots as fine as the smallest `every` of its enabled rules, and stops them when there is none.
 * Whoever changes a rule's `every`, enables, disables, adds or deletes a rule, or changes the schedule calls it in the same transaction.
 * A slot that has fallen due but is not claimed yet stays due.
 */
export async function refreshSchedule(tx: DrizzleTx, tenantId: string): Promise<void> {
  const rows = await tx.execute<Row>(sql`
    insert into schedules (tenant_id, phase_ms) values (${tenantId}::uuid, ${phaseOf(tenantId)}::bigint)
    on conflict (tenant_id) do update set updated_at = tocsin_now()
    returning (extract(epoch from tocsin_now()) * 1000)::float8 as now_ms, every_ms::float8 as every_ms,
      (extract(epoch from next_slot_at) * 1000)::float8 as next_ms, (extract(epoch from last_slot_at) * 1000)::float8 as last_ms,
      exists (select from rules where rules.tenant_id = ${tenantId}::uuid and enabled) as has_rules,
      (select array_agg(distinct spec ->> 'every') filter (where spec ->> 'every' is not null)
       from rules where rules.tenant_id = ${tenantId}::uuid and enabled) as everies`);
  const row = rows[0];
  if (row === undefined) throw new Error('a schedule that was written came back as no row');
  const slotEveryMs = Math.min(row.every_ms, ...(row.everies ?? []).map((every) => parseDuration(every) ?? row.every_ms));
  // One before an unclaimed due slot, so that the next slot is never later than it; never back at a slot that was claimed.
  const fromMs = Math.max(Math.min(row.now_ms, row.next_ms === null ? row.now_ms : row.next_ms - 1), row.last_ms ?? 0);
  const nextMs = row.has_rules ? nextSlot(fromMs, slotEveryMs, phaseOf(tenantId)) : null;
  await tx.execute(sql`
    update schedules set slot_every_ms = ${slotEveryMs}::bigint, next_slot_at = to_timestamp(${nextMs}::float8 / 1000)
    where tenant_id = ${tenantId}::uuid`);
}
