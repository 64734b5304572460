import { endByHand, readStoredRule, type SeriesState } from '@tocsin/domain';
import { and, eq, inArray, sql } from 'drizzle-orm';
import { alerts } from '../tables/alerts.ts';
import { rules, seriesStates } from '../tables/rules.ts';
import type { DrizzleTx } from '../with-tenants.ts';
import { idsIn, said } from './handle-alerts.ts';
import { CHANGED_ALERT, tellChanges, type ChangedAlert } from './tell-changes.ts';

/**
 * Ends alerts under lock because a person says so: their series are in `ok` again, under another version, so that an evaluation that read them before is
 * dropped, and with the cooldown that keeps what still holds from firing at once. Whoever was told of them is told: answers the triggers' ids,
 * to be hinted after the commit.
 */
export async function resolveByHand(
  tx: DrizzleTx,
  tenantId: string,
  ids: readonly string[],
  by: { actor: string; notes: string | null },
): Promise<string[]> {
  if (ids.length === 0) return [];
  const ended = await tx.execute<ChangedAlert>(sql`
    update alerts
    set status = 'resolved', resolved_at = tocsin_now(), resolve_reason = 'manual', resolved_by = ${by.actor},
        resolution_notes = ${by.notes}, trigger_seq = trigger_seq + 1, version = version + 1
    where tenant_id = ${tenantId}::uuid and id in ${idsIn(ids)} and resolved_at is null
    returning ${CHANGED_ALERT}`);
  const [first] = ended;
  if (first === undefined) return [];
  await endSeries(tx, tenantId, ids, first.nowMs);
  return tellChanges(tx, tenantId, 'resolved', [...ended], { reason: 'manual', actor: by.actor, data: said('notes', by.notes) });
}

async function endSeries(tx: DrizzleTx, tenantId: string, alertIds: readonly string[], nowMs: number): Promise<void> {
  const open = await tx
    .select({ ruleId: seriesStates.ruleId, digest: seriesStates.seriesDigest, state: seriesStates.state, spec: rules.spec })
    .from(alerts)
    .innerJoin(
      seriesStates,
      and(
        eq(seriesStates.tenantId, alerts.tenantId),
        eq(seriesStates.ruleId, alerts.ruleId),
        eq(seriesStates.seriesDigest, alerts.seriesDigest),
        eq(seriesStates.alertId, alerts.id),
      ),
    )
    .innerJoin(rules, and(eq(rules.tenantId, seriesStates.tenantId), eq(rules.id, seriesStates.ruleId)))
    .where(and(eq(alerts.tenantId, tenantId), inArray(alerts.id, [...alertIds])))
    .for('update', { of: seriesStates });
  if (open.length === 0) return;
  const cooldowns = new Map(open.map(({ ruleId, spec }) => [ruleId, cooldownOf(spec)]));
  const states = open.map(({ ruleId: rule_id, digest, state }) => {
    const after: SeriesState = endByHand(state, nowMs, cooldowns.get(rule_id) ?? 0);
    return { rule_id, digest, state: after, phase: after.phase };
  });
  await tx.execute(sql`
    update series_states states set state = ended.state, phase = ended.phase, alert_id = null, version = version + 1
    from jsonb_to_recordset(${JSON.stringify(states)}::text::jsonb) as ended (rule_id uuid, digest uuid, state jsonb, phase text)
    where states.tenant_id = ${tenantId}::uuid and states.rule_id = ended.rule_id and states.series_digest = ended.digest`);
}

/** A rule that this version cannot read is not evaluated, so that nothing has to be held back. */
function cooldownOf(spec: unknown): number {
  const read = readStoredRule(spec);
  return read.ok ? read.compiled.cooldownMs : 0;
}
