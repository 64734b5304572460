import {
  deleteTimers,
  escalationPoliciesOf,
  moveEscalations,
  newId,
  noteOnTimeline,
  runningEscalations,
  type DueTimer,
  type MovedEscalation,
  type SqlTx,
} from '@tocsin/db';
import { escalationNow, formatDuration, matches, muteOf, type EscalationNow, type EscalationPolicy, type Muted } from '@tocsin/domain';
import type { Firing, FiredTrigger } from './fire-timers.ts';
import { knownMutes } from './known-mutes.ts';
import { triggerOfTimer } from './trigger-of-timer.ts';

const MINUTE_MS = 60_000;

/**
 * Tells the next step of alerts that are open and that nobody has taken in hand, by the policy of now. While somebody has one, its timer waits to be woken.
 * A step that falls due while the alert is muted is passed over, and its timeline says so; without a policy, or with one that does not match any more, it ends.
 */
export const escalate: Firing = async (sql, tenantId, timers) => {
  const timerIds = timers.map(({ id }) => id);
  const running = new Map((await runningEscalations(sql, tenantId, timerIds)).map((each) => [each.id, each]));
  const policies = new Map((await escalationPoliciesOf(sql, [tenantId], { keep: false })).map((each) => [each.key, each]));
  const alerts = timers.map(({ alert, ruleKey }) => ({ ...alert, tenantId, ruleKey, alertType: alert.typeName }));
  const { mutes } = (await knownMutes(sql, alerts, { keep: false }))(tenantId);

  const fired: FiredTrigger[] = [];
  const moved: MovedEscalation[] = [];
  const over: string[] = [];
  for (const timer of timers) {
    const { id, alert, ruleKey, silencedUntilMs, nowMs } = timer;
    const state = running.get(id);
    const policy = state === undefined ? undefined : policies.get(state.policy);
    const matched = { ...alert, ruleKey, alertType: alert.typeName, silencedUntilMs };
    if (alert.status === 'resolved') over.push(id);
    else if (state === undefined || policy === undefined || !matches(policy.matchers, matched)) {
      over.push(id);
      await note(sql, tenantId, timer, 'escalation_ended', policy === undefined ? 'policy_deleted' : 'policy_changed', {
        policy: state?.policy,
      });
    } else if (alert.status === 'acknowledged') moved.push({ id, step: state.step, dueMs: null });
    else {
      const now = escalationNow(policy, state.step, state.sinceMs, nowMs);
      const muted = muteOf(matched, mutes, nowMs);
      const told = await tell(sql, tenantId, timer, { policy, now, muted });
      if (told !== null) fired.push(told);
      moved.push({ id, step: now.nextStep, dueMs: now.nextMs });
    }
  }
  if (moved.length > 0) await moveEscalations(sql, tenantId, moved);
  if (over.length > 0) await deleteTimers(sql, tenantId, over);
  return fired;
};

interface Telling {
  policy: EscalationPolicy & { key: string };
  now: EscalationNow;
  muted: Muted | null;
}

/** Null: nobody is told just now. */
async function tell(
  sql: SqlTx,
  tenantId: string,
  timer: DueTimer,
  { policy, now: { told }, muted }: Telling,
): Promise<FiredTrigger | null> {
  if (told === null) return null;
  const { channels, lastStep } = told;
  const data = { policy: policy.key, step: lastStep + 1, channels };
  if (muted !== null) {
    await note(sql, tenantId, timer, 'escalation_muted', muted.reason, { ...data, by: muted.by });
    return null;
  }
  const unacknowledgedFor = formatDuration(Math.floor((timer.nowMs - timer.alert.startedMs) / MINUTE_MS) * MINUTE_MS);
  const trigger = {
    kind: 'unacknowledged',
    entry: 'escalation_step',
    reason: 'nobody_has_it',
    channels,
    more: { unacknowledgedFor },
    data,
  } as const;
  return triggerOfTimer(sql, tenantId, timer, trigger);
}

const note = (
  sql: SqlTx,
  tenantId: string,
  { alert }: DueTimer,
  kind: string,
  reason: string,
  data: Record<string, unknown>,
): Promise<void> => noteOnTimeline(sql, [{ tenantId, id: newId(), alertId: alert.id, kind, reason, data }]);
