import { insertDrill, newId, withTenant } from '@tocsin/db';
import { drillRule, type Severity } from '@tocsin/domain';
import type { PipelineDeps } from '../pipeline-deps.ts';
import { moveDrill } from './move-drill.ts';

export interface WantedDrill {
  tenantId: string;
  /** Keys of channels that are there. */
  channels: readonly string[];
  severity: Severity;
  isScheduled: boolean;
  /** Of the audit log. */
  actor: string;
}

/**
 * Begins a fire drill: a rule of its own, one event that breaches it, a run for that rule. From there on everything goes the way of any alert, through
 * the evaluator, the outbox and the dispatcher. Answers the drill's id; what a process that dies here leaves undone is done by the next `moveDrills`.
 */
export async function startDrill(deps: PipelineDeps, wanted: WantedDrill): Promise<string> {
  const { tenantId, channels, severity, isScheduled, actor } = wanted;
  const [id, ruleId] = [newId(), newId()];
  const drill = { tenantId, id, ruleId, channels: [...channels], severity, isScheduled, startedBy: actor };
  await withTenant(deps.db, tenantId, (tx) => insertDrill(tx, drill, drillRule(id, severity, channels)));
  await moveDrill(deps, { tenantId, id });
  return id;
}
