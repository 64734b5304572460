import type { Rule, ShownRule, UnreadableRule } from '@tocsin/contracts';
import { costsOfRules, type DrizzleTx, type RuleCostRow, type RuleRow, worstPhases } from '@tocsin/db';
import { describeRule, type Phase, readStoredRule } from '@tocsin/domain';
import { timeText, timeTextOrNull } from '../time-text.ts';
import { viewCost } from './cost-view.ts';

/** Rules as people see them, with the state of their worst series. One that cannot be read is shown as that, beside the others. */
export async function viewRules(tx: DrizzleTx, tenantId: string, rows: readonly RuleRow[]): Promise<ShownRule[]> {
  const ids = rows.map(({ id }) => id);
  const phases = await worstPhases(tx, tenantId, ids);
  const costs = await costsOfRules(tx, tenantId, ids);
  return rows.map((row) => viewRule(row, phases.get(row.id) ?? 'ok', costs.get(row.id)));
}

function viewRule(row: RuleRow, state: Phase, cost: RuleCostRow | undefined): Rule | UnreadableRule {
  const read = readStoredRule(row.spec);
  const { id, enabled } = row;
  const kept = {
    pack: row.packKey,
    cost: cost === undefined ? null : viewCost(cost),
    quarantinedAt: timeTextOrNull(row.quarantinedAtMs),
    quarantinedUntil: timeTextOrNull(row.quarantinedUntilMs),
    lastTriggeredAt: timeTextOrNull(row.lastTriggeredAtMs),
    triggerCount: row.triggerCount,
    version: row.version,
    createdAt: timeText(row.createdAtMs),
    createdBy: row.createdBy,
    updatedAt: timeText(row.updatedAtMs),
    updatedBy: row.updatedBy,
  };
  if (read.ok) {
    const { health, healthReason } = row;
    return { id, ...read.spec, enabled, description: describeRule(read.spec), state, health, healthReason, ...kept };
  }
  const { key, name, spec: stored } = row;
  const description = 'This rule cannot be read, so it is not evaluated: replace or delete it.';
  return { id, key, name, stored, enabled, description, state, health: 'error', healthReason: `rule_unreadable: ${read.fault}`, ...kept };
}
