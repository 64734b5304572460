const SECOND = 1_000;
const HOUR = 3_600 * SECOND;
const DAY = 24 * HOUR;

/** What a rule may hold at most, unless an installation says otherwise. */
export const RULE_BOUNDS = {
  depth: 8,
  comparisons: 32,
  filters: 32,
  listValues: 100,
  groupBy: 8,
  labels: 32,
  annotations: 16,
  channels: 32,
  seriesPerRule: 1_000,
  openAlertsPerRule: 10_000,
  flappingChanges: 50,
  keyLength: 100,
  nameLength: 200,
  /** Of a dimension, measure or label. */
  fieldLength: 128,
  valueLength: 256,
  annotationLength: 4_096,
  unitLength: 32,
  minWindowMs: 10 * SECOND,
  maxWindowMs: 30 * DAY,
  /** `distinct` and `last` read every event, so they reach no further. */
  maxExactWindowMs: 6 * HOUR,
  /** Of what is usual. Events older than their retention are not there any more. */
  maxLookbackMs: 60 * DAY,
  minEveryMs: 10 * SECOND,
  maxEveryMs: DAY,
  maxHoldMs: 30 * DAY,
  maxGraceMs: DAY,
  minFlappingMs: 60 * SECOND,
  maxFlappingMs: DAY,
  maxEvaluationDelayMs: HOUR,
  minRemindEveryMs: 60 * SECOND,
} as const;

/** The bounds an installation may set; the others are part of what a rule is. */
export type RuleBounds = Readonly<Record<'depth' | 'comparisons' | 'maxWindowMs' | 'minEveryMs', number>>;
