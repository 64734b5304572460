import { ALERT_STATUSES, ALERT_TYPE_NAMES, ALERT_TYPES, SEVERITIES } from '@tocsin/domain';
import { z } from 'zod';
import { Id, Key, sought, Time, TimeInput } from './primitives.ts';
import { ExportQuery, PageQuery } from './page.ts';

const Labels = z.record(z.string(), z.string());

/** `a,b` becomes a list of the known words; so does a list, which a body may hold. */
const listOf = <Word extends string>(words: readonly [Word, ...Word[]]) =>
  z
    .union([z.string().max(400), z.array(z.string().max(100)).max(50)])
    .transform((given) => (typeof given === 'string' ? given.split(',') : given))
    .pipe(z.array(z.enum(words)));

const LABELS_MAX = 20;

/** `key:value`, once or several times: the alert has all of them. */
const LabelFilter = z
  .union([z.string(), z.array(z.string()).max(LABELS_MAX)])
  .transform((given) => [given].flat())
  .pipe(z.array(sought(600).regex(/^[^:]+:/, 'must be key:value')))
  .transform((pairs) => Object.fromEntries(pairs.map((pair) => [pair.slice(0, pair.indexOf(':')), pair.slice(pair.indexOf(':') + 1)])));

/** What narrows a list of alerts; all of it holds at once. */
const alertFilter = {
  /** `open` is every status but `resolved`; `silenced` is an open alert under a silence that has not ended. */
  status: listOf([...ALERT_STATUSES, 'open', 'silenced']).optional(),
  severity: listOf(SEVERITIES).optional(),
  alertType: listOf(ALERT_TYPE_NAMES).optional(),
  category: Key.optional(),
  /** The rule's id or key. */
  rule: z.union([Id, Key]).optional(),
  ruleId: Id.optional(),
  ruleKey: Key.optional(),
  label: LabelFilter.optional(),
  assignee: sought(200).optional(),
  /** Part of the rule's name or key, of the metric, or of a label's value, in any case. */
  q: sought(200).optional(),
  /** By the alert's start: from here … */
  from: TimeInput.optional(),
  /** … to before here. */
  to: TimeInput.optional(),
  /** The same as `from` and `to`. */
  since: TimeInput.optional(),
  until: TimeInput.optional(),
};

/** As a query of a URL or a body's `filter`. */
export const AlertFilter = z.strictObject(alertFilter);
export type AlertFilter = z.output<typeof AlertFilter>;

export const ListAlerts = z.strictObject({ ...PageQuery, ...ExportQuery, ...alertFilter });

export const Alert = z.strictObject({
  id: Id,
  rule: z.strictObject({ id: Id, key: z.string(), name: z.string() }),
  labels: Labels,
  /** The kind of trouble, from a closed list. */
  alertType: z.enum(ALERT_TYPE_NAMES),
  /** What it is about: a breach, missing data, or a query that fails. */
  cause: z.enum(ALERT_TYPES),
  /** The pack its rule came with; null: none. */
  category: z.string().nullable(),
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
  /** Null: nobody has it. */
  acknowledgedAt: Time.nullable(),
  acknowledgedBy: z.string().nullable(),
  resolvedAt: Time.nullable(),
  resolveReason: z.string().nullable(),
  /** Null: it is open, or ended by itself. */
  resolvedBy: z.string().nullable(),
  resolutionNotes: z.string().nullable(),
  assignee: z.string().nullable(),
  /** The silence of this alert alone ends then; null: it has none. */
  silencedUntil: Time.nullable(),
  /** Somebody says that it was not worth telling; null: nobody does. */
  noise: z.strictObject({ at: Time, by: z.string(), note: z.string().nullable() }).nullable(),
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
