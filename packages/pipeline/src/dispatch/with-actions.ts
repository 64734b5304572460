import type { ActionToPlan, HeardChannel, PendingTrigger } from '@tocsin/db';
import { actionEventOf, matches, muteOf, type Mutes } from '@tocsin/domain';
import type { Plan, PlannedDelivery } from './plan-deliveries.ts';

interface Known {
  /** Of all tenants that are planned just now. */
  actions: readonly ActionToPlan[];
  mutes: Mutes;
  heard: readonly HeardChannel[];
}

/**
 * A plan with the calls of the runbook actions that hang on its trigger beside its messages. What mutes the alert mutes them, too. One that hangs on the
 * beginning as well hears of the end as channels do: if it was called then.
 */
export function withActions(trigger: PendingTrigger, plan: Plan, { actions, mutes, heard }: Known): Plan {
  const event = actionEventOf(trigger.kind);
  if (event === null || actions.length === 0) return plan;
  const { tenantId, alertId, nowMs, told } = trigger;
  const alert = { ...trigger, id: alertId, ruleKey: told.rule.key };
  const called = actions.filter((each) => each.tenantId === tenantId && each.events.includes(event) && matches(each.matchers, alert));
  if (called.length === 0) return plan;
  const muted = event === 'resolved' ? null : muteOf(alert, mutes, nowMs);
  const calls = called.map(({ channelId, channelKey, channelKind, events }): PlannedDelivery => {
    const isUntold =
      event === 'resolved' && events.includes('fired') && !heard.some(({ id, told: wasTold }) => id === channelId && wasTold);
    return {
      channelId,
      channelKey,
      channelKind,
      suppressed: isUntold ? 'never_told' : (muted?.reason ?? null),
      suppressedBy: muted?.by ?? null,
    };
  });
  return {
    deliveries: [...plan.deliveries, ...calls],
    silent: calls.some(({ suppressed }) => suppressed === null) ? null : plan.silent,
    muted: event === 'fired' ? (plan.muted ?? muted) : plan.muted,
  };
}
