import { newId, setTenants, type SqlTx, withPipeline } from '@tocsin/db';
import { parseRule, type RuleSpec } from '@tocsin/domain';
import type { BenchDatabase } from './bench-database.ts';

/** The ten rules of `evaluation-rules.ts` as people would write them. Thresholds are out of reach, but for one rule of every tenth tenant. */
const CONDITIONS = [
  { metric: 'latency', aggregation: 'p95', window: '5m', where: { model: 'model-0' } },
  { metric: 'latency', aggregation: 'p95', window: '15m' },
  { metric: 'error_rate', window: '5m' },
  { metric: 'error_rate', window: '15m', where: { operation: 'op1' } },
  { metric: 'cost', aggregation: 'sum', window: '60m' },
  { metric: 'throughput', aggregation: 'count', window: '5m' },
  { metric: 'ttft', aggregation: 'avg', window: '15m', where: { model: 'model-1' } },
  { metric: 'latency', aggregation: 'p99', window: '60m', where: { operation: 'op0' } },
  { metric: 'latency', aggregation: 'avg', window: '5m', where: { status: 'ok' } },
  { measure: 'output_tokens', aggregation: 'sum', window: '60m', where: { model: 'model-2' } },
];
export const RULES_PER_TENANT = CONDITIONS.length;
const UNREACHABLE = 1e12;
const FIRING_EVERY = 10;
const TENANTS_PER_INSERT = 100;

/** Tenants with ten rules each and a slot a minute, on the minute, the first of them at `firstSlotMs`. */
export async function makeTenants({ db }: BenchDatabase, count: number, firstSlotMs: number): Promise<string[]> {
  const tenantIds = Array.from({ length: count }, () => newId());
  for (let from = 0; from < count; from += TENANTS_PER_INSERT) {
    const some = tenantIds.slice(from, from + TENANTS_PER_INSERT);
    const rules = some.flatMap((tenantId, at) => specs((from + at) % FIRING_EVERY === 0).map((spec) => ({ tenantId, spec })));
    await withPipeline(db, async (sql) => {
      await setTenants(sql, some);
      await insertTenants(sql, some, firstSlotMs);
      await insertRules(sql, rules);
    });
  }
  return tenantIds;
}

async function insertTenants(sql: SqlTx, tenantIds: readonly string[], firstSlotMs: number): Promise<void> {
  await sql`
    insert into tenants (tenant_id, name, external_key)
    select id, id::text, id::text from unnest(${tenantIds as string[]}::uuid[]) as new (id)`;
  await sql`
    insert into schedules (tenant_id, phase_ms, next_slot_at)
    select id, 0, to_timestamp(${firstSlotMs}::float8 / 1000) from unnest(${tenantIds as string[]}::uuid[]) as new (id)`;
}

async function insertRules(sql: SqlTx, rules: readonly { tenantId: string; spec: RuleSpec }[]): Promise<void> {
  await sql`
    insert into rules (tenant_id, id, key, name, spec, created_by, updated_by)
    select tenant_id, id, spec::jsonb ->> 'key', spec::jsonb ->> 'name', spec::jsonb, 'bench', 'bench'
    from unnest(
      ${rules.map(({ tenantId }) => tenantId)}::uuid[], ${rules.map(() => newId())}::uuid[],
      ${rules.map(({ spec }) => JSON.stringify(spec))}::text[]
    ) as new (tenant_id, id, spec)`;
}

function specs(fires: boolean): RuleSpec[] {
  return CONDITIONS.map((condition, at) => {
    const threshold = fires && at === 1 ? 0 : UNREACHABLE;
    const parsed = parseRule({ key: `rule-${at}`, name: `Rule ${at}`, condition: { ...condition, operator: '>', threshold } });
    if (!parsed.ok) throw new Error(JSON.stringify(parsed.issues));
    return parsed.spec;
  });
}
