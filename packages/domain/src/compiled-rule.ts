import type { MetricQuery, Operator } from './metric-query.ts';
import type { WorstSide } from './reading.ts';
import type { Severity } from './severity.ts';

/** One comparison of the tree, ready to be read and judged. */
export interface Comparison {
  query: MetricQuery;
  /** As the rule's author wrote it, for messages: `latency`, `p95`, `ms`. */
  metric: string;
  unit: string | null;
  operator: Operator;
  threshold: number;
  /** While firing this replaces `threshold`; null: none. */
  recover: number | null;
  minSamples: number;
  /** On which side its values make the condition breach. */
  worst: WorstSide;
  /** The query says `groupBy: []` under a grouped rule: its one value joins every series. */
  joinsEverySeries: boolean;
}

export type ConditionNode =
  | { kind: 'all' | 'any'; children: readonly ConditionNode[] }
  | { kind: 'not'; child: ConditionNode }
  | { kind: 'comparison'; index: number };

/** A rule with durations in milliseconds and its tree flattened to numbered comparisons. A pure function of the rule's spec. */
export interface CompiledRule {
  condition: ConditionNode;
  comparisons: readonly Comparison[];
  groupBy: readonly string[];
  severity: Severity;
  /** Null: the tenant's schedule. */
  everyMs: number | null;
  forMs: number;
  keepFiringForMs: number;
  cooldownMs: number;
  /** Of a rule that follows how late events come: where it starts. */
  evaluationDelayMs: number;
  /** The event names whose lag the delay follows, without repeats; a null stands for every event. Null: the delay is fixed. */
  delayFollows: readonly (string | null)[] | null;
  noData: 'ok' | 'keep' | 'alert';
  onError: 'keep' | 'alert';
  /** Null: never. */
  remindEveryMs: number | null;
  notify: readonly { channel: string; minSeverity: Severity }[];
}
