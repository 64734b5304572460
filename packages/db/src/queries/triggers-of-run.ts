import type { AlertSnapshot, EpochMs, Severity, TriggerKind } from '@tocsin/domain';
import type { SqlTx } from '../with-tenants.ts';

export interface NewTrigger {
  tenantId: string;
  id: string;
  alertId: string;
  ruleId: string;
  seq: number;
  kind: TriggerKind;
  severity: Severity;
  slotMs: EpochMs;
  snapshot: AlertSnapshot;
  /** Keys of the channels that hear of it; absent: those of the rule and the routes. */
  channels?: readonly string[];
}

/** Puts the triggers into the outbox: from the commit on they will be told, whoever lives. */
export async function insertTriggers(sql: SqlTx, triggers: readonly NewTrigger[]): Promise<void> {
  await sql`
    insert into triggers (tenant_id, id, alert_id, rule_id, seq, kind, severity, slot_at, snapshot, channels)
    select tenant_id, id, alert_id, rule_id, seq, kind, severity, to_timestamp(slot / 1000), snapshot::jsonb, channels::jsonb
    from unnest(
      ${triggers.map((trigger) => trigger.tenantId)}::uuid[], ${triggers.map((trigger) => trigger.id)}::uuid[],
      ${triggers.map((trigger) => trigger.alertId)}::uuid[], ${triggers.map((trigger) => trigger.ruleId)}::uuid[],
      ${triggers.map((trigger) => trigger.seq)}::int[], ${triggers.map((trigger) => trigger.kind)}::text[],
      ${triggers.map((trigger) => trigger.severity)}::text[], ${triggers.map((trigger) => trigger.slotMs)}::float8[],
      ${triggers.map((trigger) => JSON.stringify(trigger.snapshot))}::text[],
      ${triggers.map(({ channels }) => (channels === undefined ? null : JSON.stringify(channels)))}::text[]
    ) as new (tenant_id, id, alert_id, rule_id, seq, kind, severity, slot, snapshot, channels)`;
}
