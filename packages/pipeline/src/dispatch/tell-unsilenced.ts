import { channelsOfAlerts, deleteTimers, moveTimers, type DueTimer, type MovedTimer } from '@tocsin/db';
import { muteOf, type Muted, type Mutes } from '@tocsin/domain';
import type { Firing } from './fire-timers.ts';
import { knownMutes, LOOK_AGAIN_MS } from './known-mutes.ts';
import { triggerOfTimer } from './trigger-of-timer.ts';

/**
 * Tells of alerts that are still open and of which somebody has not heard because they were muted. What something else mutes by now goes on waiting, for the
 * end of that. What is over, or has been told meanwhile, needs no more.
 */
export const tellUnsilenced: Firing = async (sql, tenantId, timers) => {
  const heard = await channelsOfAlerts(
    sql,
    timers.map(({ alert }) => ({ tenantId, alertId: alert.id })),
  );
  const untold = new Set(heard.flatMap(({ alertId, muted }) => (muted ? [alertId] : [])));
  const waiting = timers.filter(({ alert }) => alert.status !== 'resolved' && untold.has(alert.id));
  // whoever changes a mute just now wakes the timer after it, so nothing has to be kept as it is
  const known = await knownMutes(
    sql,
    waiting.map(({ alert, ruleKey }) => ({ ...alert, tenantId, ruleKey, alertType: alert.typeName })),
    { keep: false },
  );
  const moved: MovedTimer[] = [];
  const fired = [];
  for (const timer of waiting) {
    const muted = mutedNow(timer, known(tenantId).mutes);
    if (muted === null) fired.push(await triggerOfTimer(sql, tenantId, timer, { kind: 'unsilenced', reason: 'not_muted_any_more' }));
    else moved.push({ id: timer.id, dueMs: muted.untilMs ?? timer.nowMs + LOOK_AGAIN_MS, waitsFor: muted.by });
  }
  if (moved.length > 0) await moveTimers(sql, tenantId, moved);
  const isMoved = new Set(moved.map(({ id }) => id));
  await deleteTimers(
    sql,
    tenantId,
    timers.flatMap(({ id }) => (isMoved.has(id) ? [] : [id])),
  );
  return fired;
};

const mutedNow = ({ alert, ruleKey, silencedUntilMs, nowMs }: DueTimer, mutes: Mutes): Muted | null =>
  muteOf({ ...alert, ruleKey, alertType: alert.typeName, silencedUntilMs }, mutes, nowMs);
