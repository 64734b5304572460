import { firstState } from './advance.ts';
import type { EpochMs } from './clock.ts';
import type { CompiledRule, ConditionNode, WindowInput } from './compiled-rule.ts';
import { judge, type Circumstances } from './judge.ts';
import { seriesKey, type Labels, type QueryResult } from './reading.ts';
import type { Change, Judgement, Phase, Reason, Verdict } from './series-state.ts';
import { stepRule, type RememberedSeries, type SteppedSeries } from './step-rule.ts';

interface SimulatedStep {
  slotMs: EpochMs;
  /** Made up; null: none that clears the condition was found. */
  value: number | null;
  verdict: Verdict;
  phase: Phase;
  reason: Reason;
  change: Change | null;
}

/** A change that people would hear of. */
interface SimulatedChange {
  slotMs: EpochMs;
  change: Change;
  stepped: SteppedSeries<RememberedSeries>;
}

export interface Simulation {
  /** The rule as if everything hung on that one comparison; its numbers are those of `stepped`. */
  rule: CompiledRule;
  labels: Labels;
  /** Only where something changes: the first slot, and every slot that ends otherwise than the one before. */
  steps: SimulatedStep[];
  changes: SimulatedChange[];
}

export interface Made {
  /** Which comparison has the value, by its place in the rule. */
  comparison: number;
  value: number;
  labels: Labels;
}

/** Of a `for` of days only so many slots are walked, further apart. */
const STEPS_MAX = 1_000;

/**
 * Walks a series that was well through slots at which one comparison has a made-up value, until it fires; then through slots at which the comparison is
 * clear, until it has resolved. Everything hangs on that comparison: its neighbours under `all` hold, those under `any` do not. It has exactly
 * as many samples as it needs. What its threshold is made of (what is usual, the window before) is what was read. Pure.
 */
export function simulateRule(
  rule: CompiledRule,
  made: Made,
  read: { results: readonly QueryResult[]; circumstances: Circumstances; startMs: EpochMs; everyMs: number },
): Simulation {
  const hung = hungOn(rule, made.comparison);
  const walk = walkOf(hung, made.labels, read);
  walk.go(made.value, rule.forMs, (change) => change !== null);
  if (walk.changes.length > 0) {
    const clear = clearValue(hung, walk.judged, made.value);
    if (clear !== null) walk.go(clear, rule.keepFiringForMs, (change) => change?.kind === 'resolved');
  }
  return { rule: hung, labels: made.labels, steps: walk.steps, changes: walk.changes };
}

/** The same rule whose condition is the one comparison, as its place in the tree means it. The made-up value is read from a window of its own. */
function hungOn(rule: CompiledRule, index: number): CompiledRule {
  const comparison = rule.comparisons[index];
  if (comparison === undefined) throw new Error(`a rule of ${rule.comparisons.length} comparisons has none numbered ${index}`);
  const alone: ConditionNode = { kind: 'comparison', index: 0 };
  return {
    ...rule,
    windows: [...rule.windows, MADE_UP],
    comparisons: [{ ...comparison, value: { kind: 'query', window: rule.windows.length } }],
    condition: isNegated(rule.condition, index) === true ? { kind: 'not', child: alone } : alone,
  };
}

const MADE_UP: WindowInput = {
  query: { name: null, subject: { kind: 'event' }, aggregation: 'last', filters: [], groupBy: [], windowMs: 0, ratePerMs: 1 },
  backMs: 0,
  calendar: null,
  joinsEverySeries: false,
  choice: null,
};

/** Null: the comparison is not under this node. */
function isNegated(node: ConditionNode, index: number): boolean | null {
  if (node.kind === 'comparison') return node.index === index ? false : null;
  if (node.kind === 'not') {
    const below = isNegated(node.child, index);
    return below === null ? null : !below;
  }
  for (const child of node.children) {
    const below = isNegated(child, index);
    if (below !== null) return below;
  }
  return null;
}

type Read = Parameters<typeof simulateRule>[2];
/** What the condition says of the series with a made-up value. */
type Judged = (value: number) => Judgement;

interface Walk {
  judged: Judged;
  steps: SimulatedStep[];
  changes: SimulatedChange[];
  go: (value: number, holdMs: number, isOver: (change: Change | null) => boolean) => void;
}

function walkOf(hung: CompiledRule, labels: Labels, { results, circumstances, startMs, everyMs }: Read): Walk {
  const key = seriesKey(labels);
  const samples = Math.max(1, hung.comparisons[0]?.minSamples ?? 1);
  const ownResults = results.map((result, index) => (hung.windows[index]?.joinsEverySeries ? result : only(result, key)));
  const readAs = (value: number): QueryResult[] => [...ownResults, { kind: 'series', series: [{ labels, value, samples }], dropped: 0 }];
  const [steps, changes]: [SimulatedStep[], SimulatedChange[]] = [[], []];
  let [slotMs, previousSlotMs]: [EpochMs, EpochMs | null] = [startMs, null];
  let remembered: RememberedSeries[] = [{ seriesKey: key, labels, isOpen: false, state: firstState(startMs), lastSeenMs: startMs }];

  return {
    steps,
    changes,
    judged: (value) => judge(hung, readAs(value), remembered, circumstances).judgements[0]!,
    go: (value, holdMs, isOver) => {
      const stepMs = Math.max(everyMs, Math.ceil(holdMs / STEPS_MAX));
      for (const untilMs = slotMs + holdMs + stepMs; slotMs <= untilMs;) {
        const stepped = stepRule(hung, readAs(value), remembered, { slotMs, previousSlotMs, everyMs: stepMs }, circumstances).series[0]!;
        const { state, change, reason } = stepped.step;
        const last = steps.at(-1);
        if (change !== null || last?.phase !== state.phase || last.reason !== reason || last.value !== value)
          steps.push({ slotMs, value, verdict: stepped.judgement.verdict, phase: state.phase, reason, change });
        if (change !== null) changes.push({ slotMs, change, stepped });
        remembered = [
          { seriesKey: key, labels, isOpen: state.phase === 'firing' || state.phase === 'recovering', state, lastSeenMs: slotMs },
        ];
        [previousSlotMs, slotMs] = [slotMs, slotMs + stepMs];
        if (isOver(change)) return;
      }
    },
  };
}

const only = (result: QueryResult, key: string): QueryResult =>
  result.kind === 'series' ? { ...result, series: result.series.filter(({ labels }) => seriesKey(labels) === key) } : result;

/** A value at which nothing breaches and nothing holds an alert open; null: none of those that come to mind. */
function clearValue({ comparisons }: CompiledRule, judged: Judged, breaching: number): number | null {
  const fixed = comparisons.flatMap(({ limits }) =>
    limits.flatMap((limit) => (limit?.kind === 'fixed' ? [limit.recover, limit.threshold] : [])),
  );
  const near = [...fixed, judged(breaching).lead.threshold].flatMap((value) => value ?? []);
  const lasting = near.flatMap((value) => [value, value * 0.9, value * 1.1, value * 0.5, value * 2, value - 1, value + 1]);
  const clear = [...lasting, 0, 1, -1].find((value) => {
    const { verdict, whileFiring } = judged(value);
    return verdict === 'clear' && whileFiring === 'clear';
  });
  return clear ?? null;
}
