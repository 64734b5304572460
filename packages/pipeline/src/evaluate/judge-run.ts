import { referencesFirst, standsSo, type Fits, type QueryResult, type SeriesState } from '@tocsin/domain';
import { judgeRule, type RuleOutcome } from './judge-rule.ts';
import type { PlannedRule } from './plan-run.ts';
import type { ReadRun } from './read-runs.ts';

/** For rules that compare with the past, what is usual for each of their histories. */
export type FitsOfRules = ReadonlyMap<PlannedRule, readonly Fits[]>;

/** `from` and `to` are where the answers to its queries lie among those of the run. */
interface JudgedRule {
  outcome: RuleOutcome;
  from: number;
  to: number;
}

/**
 * Judges the rules of a run one by one, those that others refer to first: a rule that is due at this slot stands as it does after it, any other as it
 * was left by its own last slot.
 */
export function* judgeRun(read: ReadRun, results: readonly QueryResult[], fits: FitsOfRules, atMost: number): Generator<JudgedRule> {
  const { run, planned, heads, series, keys } = read;
  let at = 0;
  const asked = planned.map((each) => ({ each, from: at, to: (at += each.queries.length), ...orderOf(each) }));
  const states = new Map<string, SeriesState[]>();
  const statesOf = (key: string): SeriesState[] | null => {
    const id = keys.get(key);
    if (id === undefined) return null;
    return states.get(key) ?? (series.get(id) ?? []).map(({ state }) => state);
  };
  for (const { each, from, to } of referencesFirst(asked)) {
    const { rule } = each;
    const head = heads.get(rule.id);
    if (head === undefined) throw new Error('a planned rule has no head');
    const references = rule.compiled.references.map((reference) => {
      const found = statesOf(reference.rule);
      return found === null ? null : standsSo(found, reference.is);
    });
    const ownTo = from + rule.compiled.windows.length;
    const early = ownTo < to ? { early: results.slice(ownTo, to) } : {};
    const circumstances = { endMs: each.slotMs - each.delayMs, fits: fits.get(each) ?? [], references, atMost, ...early };
    const outcome = judgeRule(run, head, each, results.slice(from, ownTo), series.get(rule.id) ?? [], circumstances);
    states.set(
      rule.key,
      outcome.series.map(({ step }) => step.state),
    );
    yield { outcome, from, to };
  }
}

const orderOf = ({ rule }: PlannedRule): { key: string; references: string[] } => ({
  key: rule.key,
  references: rule.compiled.references.map((reference) => reference.rule),
});
