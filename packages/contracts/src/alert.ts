import { ALERT_STATUSES, ALERT_TYPES, SEVERITIES } from '@tocsin/domain';
import { z } from 'zod';
import { Id, Key, Time, TimeInput } from './primitives.ts';
import { PageQuery } from './page.ts';

const Labels = z.record(z.string(), z.string());

/** `a,b` becomes a list of the known words. */
const listOf = <Word extends string>(words: readonly [Word, ...Word[]]) =>
  z
    .string()
    .max(200)
    .transform((text) => text.split(','))
    .pipe(z.array(z.enum(words)));

/** `status` and `severity` take several, comma-separated; `status=open` is every status but `resolved`. */
export const ListAlerts = z.strictObject({
  ...PageQuery,
  status: listOf([...ALERT_STATUSES, 'open']).optional(),
  severity: listOf(SEVERITIES).optional(),
  ruleId: Id.optional(),
  ruleKey: Key.optional(),
  /** By the alert's start: from here … */
  since: TimeInput.optional(),
  /** … to before here. */
  until: TimeInput.optional(),
});

export const Alert = z.strictObject({
  id: Id,
  rule: z.strictObject({ id: Id, key: z.string(), name: z.string() }),
  labels: Labels,
  alertType: z.enum(ALERT_TYPES),
  status: z.enum(ALERT_STATUSES),
  severity: z.enum(SEVERITIES),
  /** What was measured, as the rule's author calls it. */
  metric: z.string(),
  aggregation: z.string(),
  operator: z.string(),
  /** Null: no reading. */
  value: z.number().nullable(),
  /** Null: not known. */
  threshold: z.number().nullable(),
  unit: z.string().nullable(),
  window: z.string(),
  samples: z.int(),
  /** The worst value since this comparison leads; null while there is none. */
  peak: z.number().nullable(),
  /** Where the threshold came from, or the value, in words and as data; null: the rule says the one, and the other was read. */
  why: z.string().nullable(),
  origin: z.record(z.string(), z.unknown()).nullable(),
  /** It changes so often that all of it is one alert. */
  flapping: z.boolean(),
  /** How many more series breach than the rule may have alerts. */
  excess: z.int(),
  startedAt: Time,
  lastSlotAt: Time,
  resolvedAt: Time.nullable(),
  resolveReason: z.string().nullable(),
  /** The silence of this alert alone ends then; null: it has none. */
  silencedUntil: Time.nullable(),
  version: z.int(),
});
export type Alert = z.infer<typeof Alert>;

export const AlertTimelineEntry = z.strictObject({
  at: Time,
  kind: z.string(),
  reason: z.string().nullable(),
  actor: z.string(),
  data: z.record(z.string(), z.json()),
});
export type AlertTimelineEntry = z.infer<typeof AlertTimelineEntry>;

/** The timeline is oldest first, its newest 500 entries. */
export const AlertDetail = z.strictObject({ ...Alert.shape, timeline: z.array(AlertTimelineEntry) });
export type AlertDetail = z.infer<typeof AlertDetail>;
