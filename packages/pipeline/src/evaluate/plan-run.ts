import type { LeasedRun } from '@tocsin/db';
import { latestSlotIn, type EpochMs, type SlotTime, type WindowedQuery } from '@tocsin/domain';
import type { EvaluableRule, LoadedRules } from './rule-cache.ts';

/** A rule to evaluate in a run, for its own newest slot. */
export interface PlannedRule extends SlotTime {
  rule: EvaluableRule;
  /** One for each comparison. */
  queries: readonly WindowedQuery[];
}

/**
 * Which of these rules are due in the run, and what each has to ask.
 * A scheduled run covers the time since the newest scheduled run that succeeded, so a rule that a failed run left out is made up for. Any other
 * evaluates all of them at its own slot. A rule that was evaluated so since its newest slot has nothing left to do there: slots of a rule never
 * go backwards.
 */
export function planRun(run: LeasedRun, rules: LoadedRules['evaluable']): PlannedRule[] {
  return rules.flatMap(({ rule, head: { extraSlotMs } }) => {
    const { compiled } = rule;
    const everyMs = compiled.everyMs ?? run.everyMs;
    const slotMs = run.kind === 'scheduled' ? dueSlot(run, everyMs) : run.slotMs;
    if (slotMs === null || (extraSlotMs !== null && extraSlotMs >= slotMs)) return [];
    const endMs = slotMs - compiled.evaluationDelayMs;
    return {
      rule,
      slotMs,
      everyMs,
      previousSlotMs: newer(previousDueSlot(run, everyMs), extraSlotMs),
      queries: compiled.comparisons.map(({ query }) => ({ query, endMs })),
    };
  });
}

const dueSlot = ({ observedSlotMs, slotMs, slotEveryMs, phaseMs }: LeasedRun, everyMs: number): EpochMs | null =>
  latestSlotIn(observedSlotMs ?? slotMs - slotEveryMs, slotMs, everyMs, phaseMs);

const previousDueSlot = ({ observedSlotMs, phaseMs }: LeasedRun, everyMs: number): EpochMs | null =>
  observedSlotMs === null ? null : latestSlotIn(observedSlotMs - everyMs, observedSlotMs, everyMs, phaseMs);

const newer = (slotMs: EpochMs | null, other: EpochMs | null): EpochMs | null =>
  slotMs === null || other === null ? (slotMs ?? other) : Math.max(slotMs, other);
