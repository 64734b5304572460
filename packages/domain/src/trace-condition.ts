import type { Aggregation } from './aggregations.ts';
import type { EpochMs } from './clock.ts';
import { compareAt, type Compared } from './compare-at.ts';
import type { Comparison, CompiledRule, ConditionNode } from './compiled-rule.ts';
import { evaluate } from './evaluate-condition.ts';
import { leadOf, worstLevel } from './judge.ts';
import { leadWindow } from './lead-window.ts';
import { measureValue } from './measure-value.ts';
import type { Operator } from './metric-query.ts';
import type { NotReadyReason, Origin } from './origin.ts';
import { originWords } from './origin-words.ts';
import type { WindowedQuery } from './reading.ts';
import type { SeriesAnswers } from './series-answers.ts';
import type { Verdict } from './series-state.ts';
import type { Severity } from './severity.ts';

interface Traced {
  verdict: Verdict;
  /** Whether it is true; null: nobody can say. */
  holds: boolean | null;
}

/** One comparison of one series, with all that it was made of. */
export interface ComparisonTrace extends Traced {
  kind: 'comparison';
  /** Its place among the rule's comparisons, as they are written. */
  index: number;
  metric: string;
  aggregation: Aggregation;
  unit: string | null;
  /** What was read, half open; null: it looks at another rule, not at a window. */
  window: { fromMs: EpochMs; toMs: EpochMs } | null;
  samples: number;
  minSamples: number;
  /** Null: no reading. */
  value: number | null;
  operator: Operator;
  /** Null: not known. */
  threshold: number | null;
  /** Where the threshold came from, or the value; null: the rule says the one, and the other was read. */
  origin: Origin | null;
  /** That, or why nobody can say, in words; null: nothing to say. */
  why: string | null;
  /** Of a rule with several levels what each says, the mildest first; else empty. */
  levels: { severity: Severity; threshold: number | null; verdict: Verdict }[];
}

export type TraceNode =
  | (Traced & { kind: 'all' | 'any'; children: TraceNode[] })
  | (Traced & { kind: 'not'; child: TraceNode })
  | ComparisonTrace;

/** A condition looked at closely. */
export interface SeriesTrace {
  verdict: Verdict;
  /** Of the level that speaks: the worst that breaches, else the mildest. */
  severity: Severity;
  /** The comparison that speaks for the whole. */
  lead: number;
  comparisons: ComparisonTrace[];
  tree: TraceNode;
}

/**
 * Says of every part of a condition whether it holds, and why, with the functions that judge it: the root's verdict is that of `judge`. Pure.
 * @param windows those of `windowsAt`
 * @param isHeld an alert on a breach is open, so that `recover` stands in place of the threshold
 */
export function traceCondition(
  rule: CompiledRule,
  answers: SeriesAnswers,
  windows: readonly WindowedQuery[],
  isHeld: boolean,
): SeriesTrace {
  const measured = rule.comparisons.map((comparison) => measureValue(comparison, answers));
  const spoken = worstLevel(rule, measured, answers, isHeld);
  const comparisons = rule.comparisons.map((comparison, index): ComparisonTrace => {
    const compared = spoken.compared[index]!;
    const each = rule.levels.map((level, place) => ({ level, at: compareAt(comparison, place, isHeld, measured[index]!, answers) }));
    return {
      kind: 'comparison',
      index,
      ...partsOf(comparison, compared, windows),
      levels:
        each.length < 2 ? [] : each.map(({ level, at }) => ({ severity: level.severity, threshold: at.threshold, verdict: at.verdict })),
    };
  });
  const verdicts = comparisons.map(({ verdict }) => verdict);
  return {
    verdict: spoken.verdict,
    severity: rule.levels[spoken.level]!.severity,
    lead: leadOf(rule, spoken).comparison,
    comparisons,
    tree: treeOf(rule.condition, verdicts, comparisons),
  };
}

function partsOf(
  comparison: Comparison,
  compared: Compared,
  windows: readonly WindowedQuery[],
): Omit<ComparisonTrace, 'kind' | 'index' | 'levels'> {
  const place = leadWindow(comparison);
  const asked = place === null ? undefined : windows[place];
  const { metric, aggregation, unit, minSamples } = comparison;
  const { verdict, samples, value, operator, threshold, origin } = compared;
  return {
    ...traced(verdict),
    metric,
    aggregation,
    unit,
    window: asked === undefined ? null : { fromMs: asked.endMs - asked.query.windowMs, toMs: asked.endMs },
    samples,
    minSamples,
    value,
    operator,
    threshold,
    origin,
    why: whyOf(comparison, compared),
  };
}

function treeOf(node: ConditionNode, verdicts: readonly Verdict[], comparisons: readonly ComparisonTrace[]): TraceNode {
  if (node.kind === 'comparison') return comparisons[node.index]!;
  const said = traced(evaluate(node, verdicts));
  if (node.kind === 'not') return { kind: 'not', ...said, child: treeOf(node.child, verdicts, comparisons) };
  return { kind: node.kind, ...said, children: node.children.map((child) => treeOf(child, verdicts, comparisons)) };
}

const traced = (verdict: Verdict): Traced => ({ verdict, holds: verdict === 'breach' ? true : verdict === 'clear' ? false : null });

const NOT_READY: Readonly<Record<NotReadyReason, string>> = {
  warming: 'closed hours that are needed are still being prepared',
  baseline_not_ready: 'the series is not known for long enough to say what is usual',
  base_missing: 'there is no reading of the window it is compared with',
  base_zero: 'the window it is compared with is worth 0, of which there is no percentage',
  forecast_not_ready: 'the series is not known for long enough to say where it goes',
};

function whyOf({ value: source, minSamples, unit }: Comparison, { verdict, value, samples, origin, reason }: Compared): string | null {
  if (reason !== null) return NOT_READY[reason];
  if (verdict === 'failed') return 'it could not be read';
  if (verdict === 'unknown' && value === null)
    return source.kind === 'rule' ? 'there is no such rule, or it is switched off' : 'there is no reading';
  if (verdict === 'unknown') return `${samples} ${samples === 1 ? 'sample' : 'samples'}, where ${minSamples} are needed`;
  return origin === null ? null : originWords(origin, unit);
}
