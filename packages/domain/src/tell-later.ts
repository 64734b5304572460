import { minuteOfDay, type Weekday, WEEKDAYS } from './active-hours.ts';
import type { EpochMs } from './clock.ts';
import { readCron } from './cron.ts';
import type { MessageKind } from './notification.ts';
import { quietUntil, type QuietHours } from './quiet-hours.ts';
import { isWorse, type Severity } from './severity.ts';

export const LATER_REASONS = ['quiet_hours', 'digest'] as const;
/** Why somebody is told later: they are not to be disturbed just now, or have asked for one message in a while. */
export type LaterReason = (typeof LATER_REASONS)[number];

/** When what was collected is told, on the clocks of a time zone. `at` is a time of day, `09:00`. */
export type Digest = { every: 'daily'; at: string; timeZone: string } | { every: 'weekly'; day: Weekday; at: string; timeZone: string };

/** When somebody, a channel or a person, wants to be told of what. */
export interface ToldWhen {
  /** Null: there are none. */
  quietHours: QuietHours | null;
  /** Null: nothing is collected. */
  digest: Digest | null;
  /** What is milder is collected; null where nothing is. */
  digestBelow: Severity | null;
}

export interface Later {
  reason: LaterReason;
  untilMs: EpochMs;
}

/** What is sent for its own sake: tests, and what stands for a message that was to arrive elsewhere by now. */
const AT_ONCE: ReadonlySet<MessageKind> = new Set<MessageKind>(['test', 'undelivered', 'channel_failing']);

/**
 * Until when a message waits; null: it does not. Critical alerts never wait. An escalation's step is in no digest, as somebody asked to hear of it by then,
 * but disturbs nobody in quiet hours. A digest that falls into quiet hours comes at their end.
 */
export function toldLater(when: ToldWhen, kind: MessageKind, severity: Severity, nowMs: EpochMs): Later | null {
  if (AT_ONCE.has(kind) || severity === 'critical') return null;
  const { digest, digestBelow } = when;
  if (digest !== null && digestBelow !== null && isWorse(digestBelow, severity) && kind !== 'unacknowledged')
    return { reason: 'digest', untilMs: endOf(when, 'digest', nowMs) };
  const untilMs = endOf(when, 'quiet_hours', nowMs);
  return untilMs > nowMs ? { reason: 'quiet_hours', untilMs } : null;
}

/** When what waits for that reason is told, as things stand; now, where there is nothing to wait for. */
export function endOf({ quietHours, digest }: ToldWhen, reason: LaterReason, nowMs: EpochMs): EpochMs {
  const atMs = reason === 'digest' && digest !== null ? digestAfter(digest, nowMs) : nowMs;
  return (quietHours === null ? null : quietUntil(quietHours, atMs)) ?? atMs;
}

/** The first instant of a digest after another. Where clocks leave its time out it comes when they are set, and where they show it twice, the first time. */
export function digestAfter(digest: Digest, afterMs: EpochMs): EpochMs {
  const minute = minuteOfDay(digest.at);
  const day = digest.every === 'weekly' ? WEEKDAYS.indexOf(digest.day) : '*';
  const next = minute === null ? null : readCron(`${minute % 60} ${Math.floor(minute / 60)} * * ${day}`, digest.timeZone).after(afterMs);
  if (next === null) throw new Error(`a digest that never comes: ${digest.at}`);
  return next;
}

/**
 * What waits under the same key at a channel is told together.
 * @param alertId of an alert that is told by itself; null: it is told with others
 */
export const laterKey = (reason: LaterReason, alertId: string | null): string => (alertId === null ? reason : `${reason}:${alertId}`);

/** Null: it waits for neither. */
export const laterReasonOf = (foldKey: string | null): LaterReason | null =>
  LATER_REASONS.find((reason) => foldKey === reason || foldKey?.startsWith(`${reason}:`)) ?? null;
