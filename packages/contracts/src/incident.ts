import { SEVERITIES } from '@tocsin/domain';
import { z } from 'zod';
import { Alert, AlertTimelineEntry } from './alert.ts';
import { BulkResult } from './alert-handling.ts';
import { PageQuery } from './page.ts';
import { Id, Time } from './primitives.ts';

const STATUSES = ['open', 'resolved'] as const;

export const ListIncidents = z.strictObject({ ...PageQuery, status: z.enum(STATUSES).optional() });

/** Two alerts or more that opened close together and share labels. */
export const Incident = z.strictObject({
  id: Id,
  /** `open` as long as one of its alerts is. */
  status: z.enum(STATUSES),
  /** The worst of its open alerts, of all once none is. Null: they are all archived. */
  severity: z.enum(SEVERITIES).nullable(),
  /** What all of its alerts have. */
  labels: z.record(z.string(), z.string()),
  /** When the first of its alerts opened, and the last. */
  openedAt: Time,
  lastAlertAt: Time,
  /** When the last of them ended; null: one is open, or they are all archived. */
  resolvedAt: Time.nullable(),
  /** `linked` counts the archived ones, too. */
  alerts: z.strictObject({ linked: z.int(), open: z.int() }),
});
export type Incident = z.infer<typeof Incident>;

/** Its alerts that are not archived, as they opened, and what happened to any of them, oldest first, the newest 500 entries. */
export const IncidentDetail = z.strictObject({
  incident: Incident,
  alerts: z.array(Alert),
  timeline: z.array(z.strictObject({ alertId: Id, ...AlertTimelineEntry.shape })),
});
export type IncidentDetail = z.infer<typeof IncidentDetail>;

/** One result for each alert that was open, as they opened. */
export const IncidentAnswer = z.strictObject({
  data: z.array(BulkResult),
  counts: z.strictObject({ done: z.int(), unchanged: z.int(), failed: z.int() }),
});
export type IncidentAnswer = z.infer<typeof IncidentAnswer>;
