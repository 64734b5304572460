import { sql } from 'drizzle-orm';
import type { DrillChannel, DrillRow, DrillStages } from '../tables/drills.ts';
import type { DrizzleTx } from '../with-tenants.ts';

interface Row extends Omit<DrillStages, 'channels'>, Record<string, unknown> {
  deliveries: Omit<DrillChannel, 'channel'>[];
  keys: string[];
}

/** How far a drill has come, from the rows that its stages left. */
export async function readDrillStages(tx: DrizzleTx, { tenantId, ruleId, runId, channels }: DrillRow): Promise<DrillStages> {
  const ms = (column: string) => sql`(extract(epoch from ${sql.raw(column)}) * 1000)::float8`;
  const [row] = await tx.execute<Row>(sql`
    select (select ${ms('finished_at')} from runs where tenant_id = ${tenantId}::uuid and id = ${runId}::uuid) as "evaluatedAtMs",
      alert.id as "alertId", ${ms('told.created_at')} as "triggeredAtMs", ${ms('told.finished_at')} as "plannedAtMs", told.reason as silent,
      coalesce(sent.keys, '{}') as keys, coalesce(sent.deliveries, '[]') as deliveries
    from (select 1) one
    left join alerts alert on alert.tenant_id = ${tenantId}::uuid and alert.rule_id = ${ruleId}::uuid and alert.resolved_at is null
    left join triggers told on told.tenant_id = alert.tenant_id and told.alert_id = alert.id and told.kind = 'fired'
    left join lateral (
      select array_agg(d.channel_key order by d.channel_key) as keys, jsonb_agg(jsonb_build_object(
        'deliveryId', d.id, 'status', d.status, 'reason', d.reason, 'attempts', d.attempts, 'finishedAtMs', ${ms('d.finished_at')},
        'firstAttemptAtMs', (select min(${ms('a.started_at')}) from delivery_attempts a where a.tenant_id = d.tenant_id and a.delivery_id = d.id)
      ) order by d.channel_key) as deliveries
      from deliveries d where d.tenant_id = told.tenant_id and d.trigger_id = told.id and d.alert_id = alert.id
    ) sent on true`);
  if (row === undefined) throw new Error('one row was asked for');
  const { keys, deliveries, ...stages } = row;
  const byKey = new Map(keys.map((key, index) => [key, deliveries[index]!]));
  return {
    evaluatedAtMs: stages.evaluatedAtMs,
    triggeredAtMs: stages.triggeredAtMs,
    plannedAtMs: stages.plannedAtMs,
    silent: stages.silent,
    alertId: stages.alertId,
    channels: channels.map((channel) => ({ ...(byKey.get(channel) ?? UNPLANNED), channel })),
  };
}

const UNPLANNED = { deliveryId: null, status: null, reason: null, attempts: 0, firstAttemptAtMs: null, finishedAtMs: null };
