import {
  formatDuration,
  originWords,
  type AlertSnapshot,
  type AlertStatus,
  type AlertType,
  type AlertTypeName,
  type EpochMs,
  type Labels,
  type Severity,
} from '@tocsin/domain';
import type { AlertReading } from './alerts-of-run.ts';

export interface ToldAlert {
  id: string;
  ruleName: string;
  labels: Labels;
  alertType: AlertType;
  typeName: AlertTypeName;
  category: string | null;
  status: AlertStatus;
  severity: Severity;
  reading: AlertReading;
  startedMs: EpochMs;
  resolvedMs: EpochMs | null;
  /** Null: nobody has it. */
  acknowledgedBy: string | null;
}

/** An alert in the words of its messages. Whoever sends them fills in the address of its page, knowing where the pages are. */
export function snapshotOf(alert: ToldAlert): AlertSnapshot {
  const { metric, aggregation, operator, value, threshold, unit, windowMs, samples, origin, isFlapping, excess } = alert.reading;
  return {
    id: alert.id,
    name: alert.ruleName,
    alertType: alert.typeName,
    cause: alert.alertType,
    ...(alert.category === null ? {} : { category: alert.category }),
    status: alert.status,
    ...(alert.acknowledgedBy === null ? {} : { acknowledgedBy: alert.acknowledgedBy }),
    severity: alert.severity,
    metric,
    aggregation,
    operator,
    value,
    threshold,
    unit,
    window: formatDuration(windowMs),
    samples,
    ...(origin == null ? {} : { origin, why: originWords(origin, unit) }),
    ...(isFlapping ? { flapping: true as const } : {}),
    ...(excess === undefined ? {} : { excess }),
    labels: alert.labels,
    startedAt: new Date(alert.startedMs).toISOString(),
    resolvedAt: alert.resolvedMs === null ? null : new Date(alert.resolvedMs).toISOString(),
    url: null,
  };
}
