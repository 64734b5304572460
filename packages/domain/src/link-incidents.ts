import type { EpochMs } from './clock.ts';
import type { Labels } from './reading.ts';

/** Alerts that open so soon after the last of an incident belong to it, and those that open so soon after one another begin one. */
export const INCIDENT_GAP_MS = 300_000;
/** Of more, the next begin another: what is done with an incident is done with all of it at once. */
export const INCIDENT_ALERTS_MAX = 500;

/** Not what makes alerts one trouble: every rule has the one, and half of all alerts the other. */
const NOT_SHARED = new Set(['rule', 'severity', 'alertType']);

export interface LinkableAlert {
  id: string;
  labels: Labels;
  openedMs: EpochMs;
  /** Null: it stands alone. */
  incidentId: string | null;
}

export interface LinkableIncident {
  id: string;
  /** When the last of its alerts opened. */
  lastMs: EpochMs;
  alerts: number;
}

export interface Linked {
  links: { alertId: string; incidentId: string }[];
  /** Those that are new or have grown, as they are now. */
  incidents: (LinkableIncident & { firstMs: EpochMs; isNew: boolean })[];
}

interface Known {
  /** Open alerts that may be related, linked or not. */
  alerts: readonly LinkableAlert[];
  /** All that those belong to. */
  incidents: readonly LinkableIncident[];
  newId: () => string;
}

/**
 * Puts alerts that open into incidents: into the oldest that one of their relatives is in, else into a new one with the first relative that stands
 * alone. Relatives share a label's name and value. An alert without any stays alone, and an alert is in one incident at most, for good.
 */
export function linkIncidents(opening: readonly LinkableAlert[], { alerts, incidents, newId }: Known): Linked {
  const known = new Map(alerts.map((alert) => [alert.id, { ...alert }]));
  const byId = new Map<string, Linked['incidents'][number]>(
    incidents.map((incident) => [incident.id, { ...incident, firstMs: incident.lastMs, isNew: false }]),
  );
  const links: Linked['links'] = [];
  const grown = new Set<string>();
  const join = (alert: LinkableAlert, incident: Linked['incidents'][number]): void => {
    alert.incidentId = incident.id;
    incident.alerts += 1;
    incident.lastMs = Math.max(incident.lastMs, alert.openedMs);
    links.push({ alertId: alert.id, incidentId: incident.id });
    grown.add(incident.id);
  };

  for (const each of opening) {
    const alert = known.get(each.id) ?? { ...each };
    known.set(alert.id, alert);
    if (alert.incidentId !== null) continue;
    const relatives = [...known.values()].filter((other) => other.id !== alert.id && shareLabel(other.labels, alert.labels));
    const joinable = relatives
      .flatMap(({ incidentId }) => (incidentId === null ? [] : (byId.get(incidentId) ?? [])))
      .filter(({ lastMs, alerts: count }) => isClose(lastMs, alert.openedMs) && count < INCIDENT_ALERTS_MAX);
    const oldest = joinable.toSorted((a, b) => (a.id < b.id ? -1 : 1))[0];
    if (oldest !== undefined) {
      join(alert, oldest);
      continue;
    }
    const alone = relatives.filter(({ incidentId, openedMs }) => incidentId === null && isClose(openedMs, alert.openedMs));
    const first = alone.toSorted((a, b) => a.openedMs - b.openedMs || (a.id < b.id ? -1 : 1))[0];
    if (first === undefined) continue;
    const firstMs = Math.min(first.openedMs, alert.openedMs);
    const incident = { id: newId(), firstMs, lastMs: firstMs, alerts: 0, isNew: true };
    byId.set(incident.id, incident);
    join(first, incident);
    join(alert, incident);
  }
  return { links, incidents: [...byId.values()].filter(({ id }) => grown.has(id)) };
}

const isClose = (aMs: EpochMs, bMs: EpochMs): boolean => Math.abs(aMs - bMs) <= INCIDENT_GAP_MS;

const shareLabel = (a: Labels, b: Labels): boolean =>
  Object.entries(a).some(([name, value]) => !NOT_SHARED.has(name) && Object.hasOwn(b, name) && b[name] === value);

/** The labels that all of them have with the same value. */
export function sharedLabels(alerts: readonly { labels: Labels }[]): Labels {
  const [first, ...others] = alerts;
  return Object.fromEntries(
    Object.entries(first?.labels ?? {}).filter(([name, value]) =>
      others.every(({ labels }) => Object.hasOwn(labels, name) && labels[name] === value),
    ),
  );
}
