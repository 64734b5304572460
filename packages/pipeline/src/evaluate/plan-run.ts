import type { LeasedRun, RuleHead } from '@tocsin/db';
import {
  cannotUnhappen,
  latestSlotIn,
  nextDelayMs,
  placed,
  windowsAt,
  type CompiledRule,
  type EpochMs,
  type SlotTime,
  type WindowedQuery,
} from '@tocsin/domain';
import type { EvaluableRule, LoadedRules } from './rule-cache.ts';

/** A rule to evaluate in a run, for its own newest slot. */
export interface PlannedRule extends SlotTime {
  rule: EvaluableRule;
  /** How long before the slot its windows end. */
  delayMs: number;
  /** One for each of the rule's windows; then, where a breach may be told early, each once more without the delay. */
  queries: readonly WindowedQuery[];
}

/**
 * Which of these rules are due in the run, and what each has to ask.
 * A scheduled run covers the time since the newest scheduled run that succeeded, so a rule that a failed run left out is made up for. Any other
 * evaluates all of them at its own slot, and so does one of a cron. A rule that was evaluated so since its newest slot has nothing left to do
 * there: slots of a rule never go backwards. A rule that was paused was not observed meanwhile, whatever the tenant's runs were.
 * @param fitting the delay that fits a rule which follows how late events come
 */
export function planRun(
  run: LeasedRun,
  rules: LoadedRules['evaluable'],
  fitting: (follows: readonly (string | null)[]) => number,
): PlannedRule[] {
  return rules.flatMap(({ rule, head }) => {
    const planned = planRule(run, rule.compiled, head, fitting);
    if (planned === null) return [];
    const early = planned.delayMs > 0 && cannotUnhappen(rule.compiled) ? windowsAt(rule.compiled, planned.slotMs) : [];
    return { rule, ...planned, queries: [...planned.queries, ...early] };
  });
}

/** What of a run says when its rules are due. */
type RunTime = Omit<LeasedRun, 'tenantId' | 'id' | 'token' | 'leasedMs' | 'attempts' | 'ruleIds' | 'failedRuns'>;

/** Null: the rule is not due in the run. */
export function planRule(
  run: RunTime,
  compiled: CompiledRule,
  { extraSlotMs, marks }: Pick<RuleHead, 'extraSlotMs' | 'marks'>,
  fitting: (follows: readonly (string | null)[]) => number,
): Omit<PlannedRule, 'rule'> | null {
  const everyMs = run.isCron ? run.slotEveryMs : (compiled.everyMs ?? run.everyMs);
  const slotMs = run.kind === 'scheduled' && !run.isCron ? dueSlot(run, everyMs) : run.slotMs;
  if (slotMs === null || (extraSlotMs !== null && extraSlotMs >= slotMs)) return null;
  const previousSlotMs = marks?.pausedAfterMs ?? newer(run.isCron ? run.observedSlotMs : previousDueSlot(run, everyMs), extraSlotMs);
  const delayMs = delayOf(compiled, marks?.delayMs ?? null, everyMs, fitting);
  return {
    slotMs,
    previousSlotMs,
    everyMs: spacingOf(run, everyMs, previousSlotMs === null ? 0 : slotMs - previousSlotMs),
    delayMs,
    queries: windowsAt(compiled, slotMs - delayMs),
  };
}

/** A rule's slot outside of the active hours comes to lie at their next beginning, which is a slot of its tenant. */
function dueSlot(run: RunTime, everyMs: number): EpochMs | null {
  const { observedSlotMs, slotMs, slotEveryMs, phaseMs } = run;
  const dueMs = latestSlotIn(observedSlotMs ?? slotMs - slotEveryMs, slotMs, everyMs, phaseMs);
  return dueMs === null ? null : Math.min(slotMs, placedBy(run, dueMs, slotMs));
}

function previousDueSlot(run: RunTime, everyMs: number): EpochMs | null {
  const { observedSlotMs, phaseMs } = run;
  if (observedSlotMs === null) return null;
  const dueMs = latestSlotIn(observedSlotMs - everyMs, observedSlotMs, everyMs, phaseMs);
  return dueMs === null ? null : Math.min(observedSlotMs, placedBy(run, dueMs, observedSlotMs));
}

/** @param untilMs a pause that ends later had not begun by then */
const placedBy = ({ timeZone, activeHours, pausedUntilMs }: RunTime, dueMs: EpochMs, untilMs: EpochMs): EpochMs =>
  placed({ timeZone, activeHours, pausedUntilMs: pausedUntilMs !== null && pausedUntilMs > untilMs ? null : pausedUntilMs }, dueMs);

/**
 * How far the rule's slots lie apart when nothing is amiss: its `every`, or as many of it as go past between two slots of its tenant. Where somebody else
 * says when to look, however rarely, the time since is time that was observed.
 */
function spacingOf({ slotEveryMs, coversOlder }: RunTime, everyMs: number, elapsedMs: number): number {
  const spacingMs = everyMs * Math.max(1, Math.ceil(slotEveryMs / everyMs));
  return coversOlder ? Math.max(spacingMs, elapsedMs) : spacingMs;
}

const newer = (slotMs: EpochMs | null, other: EpochMs | null): EpochMs | null =>
  slotMs === null || other === null ? (slotMs ?? other) : Math.max(slotMs, other);

/**
 * How long before a slot a rule's windows end.
 * @param beforeMs the delay of its slot before, of a rule that follows how late events come; null: where it starts
 */
function delayOf(
  { delayFollows, evaluationDelayMs, windows }: CompiledRule,
  beforeMs: number | null,
  everyMs: number,
  fitting: (follows: readonly (string | null)[]) => number,
): number {
  if (delayFollows === null) return evaluationDelayMs;
  const shortestWindowMs = windows.reduce((shortest, { query }) => Math.min(shortest, query.windowMs), Infinity);
  return nextDelayMs(beforeMs ?? evaluationDelayMs, fitting(delayFollows), { everyMs, shortestWindowMs });
}
