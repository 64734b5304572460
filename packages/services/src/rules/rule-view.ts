import type { Rule } from '@tocsin/contracts';
import { type DrizzleTx, type RuleRow, worstPhases } from '@tocsin/db';
import { describeRule, type Phase, RuleSpec } from '@tocsin/domain';
import { timeText, timeTextOrNull } from '../time-text.ts';

/** Rules as people see them, with the state of their worst series. */
export async function viewRules(tx: DrizzleTx, tenantId: string, rows: readonly RuleRow[]): Promise<Rule[]> {
  const phases = await worstPhases(
    tx,
    tenantId,
    rows.map(({ id }) => id),
  );
  return rows.map((row) => viewRule(row, phases.get(row.id) ?? 'ok'));
}

const viewRule = (row: RuleRow, state: Phase): Rule => ({
  id: row.id,
  ...inReadingOrder(row.spec),
  enabled: row.enabled,
  description: describeRule(row.spec),
  state,
  health: row.health,
  healthReason: row.healthReason,
  lastTriggeredAt: timeTextOrNull(row.lastTriggeredAtMs),
  triggerCount: row.triggerCount,
  version: row.version,
  createdAt: timeText(row.createdAtMs),
  createdBy: row.createdBy,
  updatedAt: timeText(row.updatedAtMs),
  updatedBy: row.updatedBy,
});

// jsonb keeps its keys by length; people read name before condition.
function inReadingOrder(spec: RuleSpec): RuleSpec {
  const fields = Object.keys(RuleSpec.shape) as (keyof RuleSpec)[];
  return Object.fromEntries(fields.filter((field) => spec[field] !== undefined).map((field) => [field, spec[field]])) as RuleSpec;
}
