import type { Incident } from '@tocsin/contracts';
import type { AlertRow, IncidentRow } from '@tocsin/db';
import { isWorse, sharedLabels, type Severity } from '@tocsin/domain';
import { timeText, timeTextOrNull } from '../time-text.ts';

/** @param alerts those that are not archived */
export function viewIncident(row: IncidentRow, alerts: readonly AlertRow[]): Incident {
  const open = alerts.filter(({ resolvedAtMs }) => resolvedAtMs === null);
  const ends = alerts.flatMap(({ resolvedAtMs }) => resolvedAtMs ?? []);
  return {
    id: row.id,
    status: open.length > 0 ? 'open' : 'resolved',
    severity: worstOf(open.length > 0 ? open : alerts),
    labels: sharedLabels(alerts),
    openedAt: timeText(row.openedAtMs),
    lastAlertAt: timeText(row.lastAtMs),
    resolvedAt: timeTextOrNull(open.length > 0 || ends.length === 0 ? null : Math.max(...ends)),
    alerts: { linked: row.alerts, open: open.length },
  };
}

const worstOf = (alerts: readonly AlertRow[]): Severity | null =>
  alerts.reduce<Severity | null>((worst, { severity }) => (worst === null || isWorse(severity, worst) ? severity : worst), null);
