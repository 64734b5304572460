import type { Drill, DrillSchedule } from '@tocsin/contracts';
import type { DrillRow, DrillScheduleRow, DrillStages } from '@tocsin/db';
import { deliveryReasonWords, type EpochMs } from '@tocsin/domain';
import { timeText, timeTextOrNull } from '../time-text.ts';

/** `stages`: as its rows say now; a drill that is over keeps its own. */
export function viewDrill(row: DrillRow, stages: DrillStages): Drill {
  const at = (ms: EpochMs | null) => ({ at: timeTextOrNull(ms), afterMs: ms === null ? null : ms - row.startedAtMs });
  const { evaluatedAtMs, triggeredAtMs, plannedAtMs, alertId, channels } = row.report ?? stages;
  return {
    id: row.id,
    status: row.status,
    severity: row.severity,
    scheduled: row.isScheduled,
    startedAt: timeText(row.startedAtMs),
    startedBy: row.startedBy,
    finishedAt: timeTextOrNull(row.finishedAtMs),
    alertId,
    stages: { stored: at(row.storedAtMs), evaluated: at(evaluatedAtMs), triggered: at(triggeredAtMs), planned: at(plannedAtMs) },
    channels: channels.map(({ channel, deliveryId, status, reason, attempts, firstAttemptAtMs, finishedAtMs }) => ({
      channel,
      deliveryId,
      status,
      reason,
      reasonText: reason === null ? null : deliveryReasonWords(reason),
      attempts,
      firstAttempt: at(firstAttemptAtMs),
      finished: at(finishedAtMs),
    })),
  };
}

export const viewDrillSchedule = ({
  cron,
  timeZone,
  channels,
  severity,
  nextAtMs,
  updatedAtMs,
  updatedBy,
}: DrillScheduleRow): DrillSchedule => ({
  cron,
  timeZone,
  channels,
  severity,
  nextAt: timeTextOrNull(nextAtMs),
  updatedAt: timeText(updatedAtMs),
  updatedBy,
});
