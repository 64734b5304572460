import type postgres from 'postgres';

interface SlotRow {
  tenant: string;
  status: string;
  slotMs: number;
  fromMs: number;
  slots: number;
}

/** Every slot of the schedule, from a tenant's first to its last is accounted for by exactly one row, which has ended and is in nobody's hands. */
export async function brokenSlots(sql: postgres.Sql, everyMs: number): Promise<string[]> {
  const rows = await sql<SlotRow[]>`
    select external_key as tenant, status, (extract(epoch from slot_at) * 1000)::float8 as "slotMs",
           (extract(epoch from coalesce(skipped_from, slot_at)) * 1000)::float8 as "fromMs", coalesce(skipped_count, 1) as slots
    from runs join tenants using (tenant_id) where kind = 'scheduled' order by tenant, slot_at`;
  const broken: string[] = [];
  const lastMs = new Map<string, number>();
  for (const { tenant, status, slotMs, fromMs, slots } of rows) {
    const before = lastMs.get(tenant);
    if (before !== undefined && fromMs !== before + everyMs) broken.push(`${tenant}: after the slot ${iso(before)} comes ${iso(fromMs)}`);
    if (slotMs !== fromMs + (slots - 1) * everyMs) broken.push(`${tenant}: ${slots} slots from ${iso(fromMs)} to ${iso(slotMs)}`);
    if (!['done', 'late', 'failed', 'skipped'].includes(status)) broken.push(`${tenant}: the run of ${iso(slotMs)} is ${status}`);
    lastMs.set(tenant, slotMs);
  }
  const held = await sql<{ what: string; count: number }[]>`
    select 'runs' as what, count(*)::int from runs where lease_token is not null or lease_until is not null
    union all select 'deliveries', count(*)::int from deliveries where lease_token is not null or lease_until is not null`;
  for (const { what, count } of held) if (count > 0) broken.push(`${count} ${what} are leased by nobody`);
  return broken;
}

/** Slots of the schedule by how they ended. */
export async function slotsByStatus(sql: postgres.Sql): Promise<Record<string, number>> {
  const rows = await sql<{ status: string; slots: number }[]>`
    select case when status = 'skipped' then 'skipped as ' || reason else status end as status, sum(coalesce(skipped_count, 1))::int as slots
    from runs where kind = 'scheduled' group by 1 order by 1`;
  return Object.fromEntries(rows.map(({ status, slots }) => [status, slots]));
}

const iso = (ms: number): string => new Date(ms).toISOString();
