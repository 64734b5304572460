import type { Delivery, DeliveryAttempt } from '@tocsin/contracts';
import type { DeliveryAttemptRow, DeliveryRow } from '@tocsin/db';
import { timeText, timeTextOrNull } from '../time-text.ts';

export const viewDelivery = (row: DeliveryRow): Delivery => ({
  id: row.id,
  triggerId: row.triggerId,
  alertId: row.alertId,
  channel: { id: row.channelId, key: row.channelKey, kind: row.channelKind },
  kind: row.kind,
  status: row.status,
  reason: row.reason,
  suppressedBy: row.suppressedBy,
  attempts: row.attempts,
  nextAttemptAt: row.finishedAtMs === null ? timeText(row.nextAttemptAtMs) : null,
  expiresAt: timeText(row.expiresAtMs),
  createdAt: timeText(row.createdAtMs),
  finishedAt: timeTextOrNull(row.finishedAtMs),
});

export const viewAttempt = ({ startedAtMs, finishedAtMs, ...attempt }: DeliveryAttemptRow): DeliveryAttempt => ({
  ...attempt,
  startedAt: timeText(startedAtMs),
  finishedAt: timeTextOrNull(finishedAtMs),
});
