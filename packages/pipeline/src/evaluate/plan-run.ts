import type { LeasedRun, RuleHead } from '@tocsin/db';
import { latestSlotIn, nextDelayMs, windowsAt, type CompiledRule, type SlotTime, type WindowedQuery } from '@tocsin/domain';
import type { EvaluableRule } from './rule-cache.ts';

/** A rule to evaluate in a run, for its own newest slot. */
export interface PlannedRule extends SlotTime {
  rule: EvaluableRule;
  /** How long before the slot its windows end. */
  delayMs: number;
  /** One for each of the rule's windows. */
  queries: readonly WindowedQuery[];
}

/**
 * Which of the tenant's rules are due in the run, and what each has to ask.
 * The run covers the time since the newest run that succeeded, so a rule that a failed run left out is made up for. A rule that was paused
 * was not observed meanwhile, whatever the tenant's runs were.
 * @param fitting the delay that fits a rule which follows how late events come
 */
export function planRun(
  run: LeasedRun,
  rules: readonly { rule: EvaluableRule; head: RuleHead }[],
  fitting: (follows: readonly (string | null)[]) => number,
): PlannedRule[] {
  const fromMs = run.observedSlotMs ?? run.slotMs - run.slotEveryMs;
  return rules.flatMap(({ rule, head }) => {
    const { compiled } = rule;
    const everyMs = compiled.everyMs ?? run.everyMs;
    const slotMs = latestSlotIn(fromMs, run.slotMs, everyMs, run.phaseMs);
    if (slotMs === null) return [];
    const delayMs = delayOf(compiled, head.marks?.delayMs ?? null, everyMs, fitting);
    const endMs = slotMs - delayMs;
    const previousSlotMs =
      run.observedSlotMs === null ? null : latestSlotIn(run.observedSlotMs - everyMs, run.observedSlotMs, everyMs, run.phaseMs);
    return {
      rule,
      slotMs,
      everyMs,
      delayMs,
      previousSlotMs: head.marks?.pausedAfterMs ?? previousSlotMs,
      queries: windowsAt(compiled, endMs),
    };
  });
}

/**
 * How long before a slot a rule's windows end.
 * @param beforeMs the delay of its slot before, of a rule that follows how late events come; null: where it starts
 */
export function delayOf(
  { delayFollows, evaluationDelayMs, windows }: CompiledRule,
  beforeMs: number | null,
  everyMs: number,
  fitting: (follows: readonly (string | null)[]) => number,
): number {
  if (delayFollows === null) return evaluationDelayMs;
  const shortestWindowMs = windows.reduce((shortest, { query }) => Math.min(shortest, query.windowMs), Infinity);
  return nextDelayMs(beforeMs ?? evaluationDelayMs, fitting(delayFollows), { everyMs, shortestWindowMs });
}
