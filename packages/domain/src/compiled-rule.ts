import type { Aggregation } from './aggregations.ts';
import type { PeriodWindow } from './period.ts';
import type { HistoryModel } from './fit-model.ts';
import type { MetricQuery, Operator } from './metric-query.ts';
import type { WorstSide } from './reading.ts';
import type { RuleStanding } from './rule-spec.ts';
import type { Severity } from './severity.ts';
import type { Direction, Statistic, Versus } from './threshold-spec.ts';

/** One window that has to be read for the rule. */
export interface WindowInput {
  /** Its `windowMs` is that of the longest period where there is a calendar. */
  query: MetricQuery;
  /** How long before the rule's own window it ends. */
  backMs: number;
  /** Null: the window is as long as the query says. Else it begins with the period. */
  calendar: PeriodWindow | null;
  /** The query says `groupBy: []` under a grouped rule: its one value joins every series. */
  joinsEverySeries: boolean;
  /** On which side its values make the condition breach, for choosing among too many series; null: it does not choose. */
  choice: { worst: WorstSide; threshold: number; minSamples: number } | null;
}

/** What has to be known of the past of one query. It is worked out anew for each day, or hour, from the closed hours before. */
export interface HistoryInput {
  query: MetricQuery;
  lookbackMs: number;
  refresh: 'day' | 'hour';
  model: HistoryModel;
  joinsEverySeries: boolean;
}

/** Where a comparison's value comes from; numbers are places among the rule's windows, histories and references. */
export type ValueSource =
  | { kind: 'query'; window: number }
  /** Nothing for the whole window; the value is the number of events. */
  | { kind: 'absence'; window: number }
  | { kind: 'ratio'; numerator: number; denominator: number; scale: number; bound: 'none' | 'wilson95' }
  | { kind: 'anomaly_severity'; window: number; history: number }
  | { kind: 'rule'; reference: number };

/** What a value is compared with at one level. `recover` replaces the parameter while firing; null: none. */
export type Limit =
  | { kind: 'fixed'; threshold: number; recover: number | null }
  | { kind: 'baseline'; history: number; multiplier: number; floor: number | null; statistic: Statistic; recover: number | null }
  | { kind: 'change'; base: number; versus: Versus; percent: number; floor: number | null; recover: number | null }
  | { kind: 'anomaly'; history: number; score: number; direction: Direction; floor: number | null; recover: number | null }
  | { kind: 'forecast'; history: number; crosses: number; withinMs: number }
  | { kind: 'budget'; amount: number; percent: number; calendar: PeriodWindow };

/** One comparison of the tree, ready to be judged. */
export interface Comparison {
  value: ValueSource;
  /** As the rule's author wrote it, for messages: `latency`, `p95`, `ms`. */
  metric: string;
  aggregation: Aggregation;
  unit: string | null;
  windowMs: number;
  operator: Operator;
  /** One a level of the rule; null: at that level it can not breach. */
  limits: readonly (Limit | null)[];
  minSamples: number;
}

export type ConditionNode =
  | { kind: 'all' | 'any'; children: readonly ConditionNode[] }
  | { kind: 'not'; child: ConditionNode }
  | { kind: 'comparison'; index: number };

/** How bad it is that the tree holds with the limits of this level. `rank` orders levels: it is higher the worse. */
export interface Level {
  severity: Severity;
  rank: number;
}

/** A rule with durations in milliseconds and its tree flattened to numbered comparisons. A pure function of the rule's spec. */
export interface CompiledRule {
  condition: ConditionNode;
  comparisons: readonly Comparison[];
  windows: readonly WindowInput[];
  histories: readonly HistoryInput[];
  /** Other rules of the tenant, by key. */
  references: readonly { rule: string; is: RuleStanding }[];
  /** The mildest first; one without levels. */
  levels: readonly Level[];
  groupBy: readonly string[];
  /** Evaluated between its slots too, as soon as there are events it looks at. */
  onArrival: boolean;
  /** Null: the tenant's schedule. */
  everyMs: number | null;
  forMs: number;
  keepFiringForMs: number;
  cooldownMs: number;
  /** Of a rule that follows how late events come: where it starts. */
  evaluationDelayMs: number;
  /** The event names whose lag the delay follows, without repeats; a null stands for every event. Null: the delay is fixed. */
  delayFollows: readonly (string | null)[] | null;
  newSeriesGraceMs: number;
  /** More changes than this within the time: the series is flapping. Null: nobody counts. */
  flapping: { changes: number; withinMs: number } | null;
  maxOpenAlerts: number;
  maxSeries: number;
  /** Evaluated and recorded, and nobody is told. */
  isShadow: boolean;
  noData: 'ok' | 'keep' | 'alert';
  onError: 'keep' | 'alert';
  /** Null: never. */
  remindEveryMs: number | null;
  notify: readonly { channel: string; minSeverity: Severity }[];
}
