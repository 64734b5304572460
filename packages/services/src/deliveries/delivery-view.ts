import type { Delivery, DeliveryAttempt } from '@tocsin/contracts';
import type { DeliveryAttemptRow, ShownDeliveryRow } from '@tocsin/db';
import { deliveryReasonWords } from '@tocsin/domain';
import { timeText, timeTextOrNull } from '../time-text.ts';

export const viewDelivery = (row: ShownDeliveryRow): Delivery => ({
  id: row.id,
  triggerId: row.triggerId,
  alertId: row.alertId,
  channel: { id: row.channelId, key: row.channelKey, kind: row.channelKind },
  kind: row.kind,
  status: row.status,
  reason: reasonOf(row),
  reasonText: wordsOf(reasonOf(row)),
  suppressedBy: row.suppressedBy,
  attempts: row.attempts,
  nextAttemptAt: row.finishedAtMs === null ? timeText(row.nextAttemptAtMs) : null,
  expiresAt: timeText(row.expiresAtMs),
  triggeredAt: timeTextOrNull(row.triggeredAtMs),
  createdAt: timeText(row.createdAtMs),
  finishedAt: timeTextOrNull(row.finishedAtMs),
  deliveredAfterMs:
    row.status === 'delivered' && row.finishedAtMs !== null ? row.finishedAtMs - (row.triggeredAtMs ?? row.createdAtMs) : null,
  insteadOf: row.insteadOf,
  foldedInto: row.foldedInto,
  heldFor: row.heldFor,
  heldUntil: timeTextOrNull(row.heldUntilMs),
});

/** What has not been tried waits for a reason; what has ended, or failed, says that. */
const reasonOf = ({ reason, status, attempts, heldFor }: ShownDeliveryRow): string | null =>
  reason ?? (status === 'pending' && attempts === 0 ? heldFor : null);

export const viewAttempt = ({ startedAtMs, finishedAtMs, nextAttemptAtMs, ...attempt }: DeliveryAttemptRow): DeliveryAttempt => ({
  ...attempt,
  reasonText: wordsOf(attempt.reason),
  startedAt: timeText(startedAtMs),
  finishedAt: timeTextOrNull(finishedAtMs),
  latencyMs: finishedAtMs === null ? null : finishedAtMs - startedAtMs,
  nextAttemptAt: timeTextOrNull(nextAttemptAtMs),
});

const wordsOf = (reason: string | null): string | null => (reason === null ? null : deliveryReasonWords(reason));
