import { endEscalationTimers, escalationPoliciesOf, newId, startEscalationTimers, type PendingTrigger, type SqlTx } from '@tocsin/db';
import { matches, type TriggerKind } from '@tocsin/domain';
import type { Plan } from './plan-deliveries.ts';

const STARTING: ReadonlySet<TriggerKind> = new Set(['fired', 'no_data', 'escalated', 'unsilenced']);

/**
 * Sets the time of whoever hears of alerts that nobody takes in hand, by the first policy that matches, and drops it of those that are over. What is
 * muted begins once it is told, and counts from then: nobody can take in hand what they have not heard of.
 */
export async function startEscalations(sql: SqlTx, plans: readonly (Plan & { trigger: PendingTrigger })[]): Promise<void> {
  const started = plans.filter(({ trigger, muted }) => STARTING.has(trigger.kind) && muted === null && trigger.notify !== null);
  if (started.length > 0) await start(sql, started);
  const over = plans.flatMap(({ trigger }) => (trigger.kind === 'resolved' ? trigger : []));
  if (over.length > 0) await endEscalationTimers(sql, over);
}

async function start(sql: SqlTx, started: readonly { trigger: PendingTrigger }[]): Promise<void> {
  const policies = await escalationPoliciesOf(sql, [...new Set(started.map(({ trigger }) => trigger.tenantId))], { keep: true });
  if (policies.length === 0) return;
  const timers = started.flatMap(({ trigger }) => {
    const { tenantId, alertId, kind, told } = trigger;
    const policy = policies.find((each) => each.tenantId === tenantId && matches(each.matchers, { ...trigger, ruleKey: told.rule.key }));
    const first = policy?.steps[0];
    if (policy === undefined || first === undefined) return [];
    const fromOpening = kind === 'fired' || kind === 'no_data';
    return { tenantId, id: newId(), alertId, policy: policy.key, fromOpening, afterMs: first.afterMs };
  });
  // of two triggers of one alert the first
  const byAlert = new Map([...timers].reverse().map((timer) => [timer.alertId, timer]));
  if (byAlert.size > 0) await startEscalationTimers(sql, [...byAlert.values()]);
}
