import postgres from 'postgres';
import { RULES } from './evaluation-rules.ts';
import type { Spans } from './span-data.ts';

/** One row a span, indexed by tenant and time: what a rule reads when nothing was prepared for it. */
export async function loadSpanRows(adminUrl: string, tenants: number, spansOfTenant: (tenant: number) => Iterable<Spans>): Promise<void> {
  const sql = postgres(adminUrl, { max: 1, onnotice: () => {} });
  await sql`create table public.spans (tenant int not null, ts float8 not null, operation text not null, model text not null, status text not null,
    duration_ms float8, ttft_ms float8, cost float8, input_tokens float8, output_tokens float8)`;
  for (let tenant = 0; tenant < tenants; tenant++) {
    for (const spans of spansOfTenant(tenant)) {
      await sql`insert into public.spans select ${tenant}, t.ts, 'op' || t.operation, 'model-' || t.model, case t.failed when 1 then 'error' else 'ok' end, d, f, c, i, o
        from unnest(${[...spans.tsMs]}::float8[], ${[...spans.operation]}::int[], ${[...spans.model]}::int[], ${[...spans.failed]}::int[], ${[...spans.durationMs]}::float8[],
          ${[...spans.ttftMs]}::float8[], ${[...spans.cost]}::float8[], ${[...spans.inputTokens]}::float8[], ${[...spans.outputTokens]}::float8[])
          as t (ts, operation, model, failed, d, f, c, i, o)`;
    }
  }
  await sql`create index on public.spans (tenant, ts)`;
  await sql`vacuum analyze public.spans`;
  await sql.end();
}

/** One statement a rule; one list a tenant. */
export async function naiveReadings(sql: postgres.Sql, tenants: number, endMs: number, inFlight: number): Promise<(number | null)[][]> {
  const results: (number | null)[][] = [];
  let next = 0;
  await Promise.all(
    Array.from({ length: inFlight }, async () => {
      while (next < tenants) {
        const tenant = next++;
        const values: (number | null)[] = [];
        for (const rule of RULES) {
          const [row] = await sql.unsafe<{ value: number | null }[]>(
            `select ${rule.sql} as value from public.spans where tenant = $1 and ts >= $2 and ts < $3${rule.where}`,
            [tenant, endMs - rule.query.windowMs, endMs],
            { prepare: true },
          );
          values.push(row!.value);
        }
        results[tenant] = values;
      }
    }),
  );
  return results;
}
