import type { AlertSnapshot, EpochMs, RuleSpec, Severity, TriggerKind } from '@tocsin/domain';
import type { SqlTx } from '../with-tenants.ts';

export interface PendingTrigger {
  id: string;
  alertId: string;
  kind: TriggerKind;
  severity: Severity;
  snapshot: AlertSnapshot;
  createdMs: EpochMs;
  /** As the rule stands now; null: it was deleted. */
  notify: RuleSpec['notify'] | null;
}

/**
 * Locks what waits to be planned of this trigger's alert, up to this one, oldest first, so that an alert's triggers are planned in the
 * order they were told, whoever is hinted first. Waits for a transaction that plans them just now; what it planned is not answered.
 */
export async function lockPendingTriggers(sql: SqlTx, tenantId: string, triggerId: string): Promise<PendingTrigger[]> {
  return sql<PendingTrigger[]>`
    select triggers.id, triggers.alert_id as "alertId", triggers.kind, triggers.severity, triggers.snapshot,
           triggers.created_at as "createdMs", rules.spec -> 'notify' as notify
    from triggers this
    join triggers on triggers.tenant_id = this.tenant_id and triggers.alert_id = this.alert_id and triggers.seq <= this.seq
    left join rules on rules.tenant_id = triggers.tenant_id and rules.id = triggers.rule_id
    where this.tenant_id = ${tenantId} and this.id = ${triggerId} and triggers.status = 'pending'
    order by triggers.seq
    for no key update of triggers`;
}

/** Ends the trigger: `planned` when somebody is to hear of it, `suppressed` with the reason when nobody is. */
export async function finishTrigger(sql: SqlTx, tenantId: string, triggerId: string, suppressed: string | null): Promise<void> {
  await sql`
    update triggers
    set status = ${suppressed === null ? 'planned' : 'suppressed'}, reason = ${suppressed}, finished_at = tocsin_now()
    where tenant_id = ${tenantId} and id = ${triggerId}`;
}
