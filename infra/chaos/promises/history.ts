import type postgres from 'postgres';
import type { ScriptedTenant } from '../script.ts';

interface Page {
  data: { slot: string; series: Record<string, string> }[];
  nextCursor: string | null;
}

/** From a series' first slot on the history has one row for each slot that was committed with all rules, and none for one that was not committed. */
export async function brokenHistory(sql: postgres.Sql, tenants: readonly ScriptedTenant[]): Promise<string[]> {
  const broken: string[] = [];
  for (const { externalKey, tenantId, api, rules } of tenants) {
    const rows = await sql<{ slot: Date; rules: number }[]>`
      select slot_at as slot, rules from runs where tenant_id = ${tenantId} and status in ('done', 'late') order by slot_at`;
    const committed = new Set(rows.map(({ slot }) => slot.toISOString()));
    const whole = rows.filter((run) => run.rules === rules.size).map(({ slot }) => slot.toISOString());
    for (const [key, id] of rules) {
      const slots = new Map<string, string[]>();
      for (let cursor = ''; ;) {
        const page = await api.get<Page>(`/api/v1/rules/${id}/evaluations?limit=500${cursor}`);
        for (const { slot, series } of page.data) {
          if (series['series'] !== undefined) slots.set(series['series'], [...(slots.get(series['series']) ?? []), slot]);
        }
        if (page.nextCursor === null) break;
        cursor = `&cursor=${encodeURIComponent(page.nextCursor)}`;
      }
      if (slots.size === 0) broken.push(`${externalKey} ${key}: no history`);
      for (const [series, found] of slots) {
        const first = found.at(-1) ?? '';
        const missing = whole.filter((slot) => slot >= first && !found.includes(slot));
        if (missing.length > 0) broken.push(`${externalKey} ${key} ${series}: no history of ${missing.join()}`);
        const strange = found.filter((slot, at) => !committed.has(slot) || found.indexOf(slot) !== at);
        if (strange.length > 0) broken.push(`${externalKey} ${key} ${series}: doubled or never committed: ${strange.join()}`);
      }
    }
  }
  return broken;
}
