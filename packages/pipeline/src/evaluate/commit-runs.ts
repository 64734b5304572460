import {
  clearBackOff,
  correctRunCounts,
  deleteSeriesStates,
  dropTimers,
  endSilencesOfRisen,
  finishRuns,
  insertAlertEvents,
  insertSegments,
  insertTriggers,
  lockChangedSeries,
  lockCurrentRules,
  openAlerts,
  recordExtraSlots,
  recordRuleNews,
  setReminders,
  setRuleDelays,
  updateAlerts,
  waitingRuns,
  withTenantsSql,
  writeRuleCosts,
  writeSeriesStates,
  type FinishedRun,
  type LeasedRun,
  type NewSegment,
  type NewTrigger,
  type QuarantinedRule,
  type RuleCost,
  type SqlTx,
} from '@tocsin/db';
import { encodeEvaluations } from '@tocsin/events';
import { faultPoint } from '@tocsin/runtime';
import type { PipelineDeps } from '../pipeline-deps.ts';
import { evaluationRows, unreadableRows, type EvaluationTime } from './evaluation-rows.ts';
import type { RuleOutcome } from './judge-rule.ts';
import { changesConduct, recordConduct } from './record-conduct.ts';
import type { EvaluableRule, LoadedRules, UnreadableRule } from './rule-cache.ts';
import { costToWrite } from './rule-cost.ts';
import { changesAnything, collectWrites, type RunWrites } from './run-writes.ts';

/** All that a run found, before it counts. */
export interface RunResult {
  run: LeasedRun;
  outcomes: RuleOutcome[];
  unreadable: LoadedRules['unreadable'];
  time: EvaluationTime;
}

export interface CommittedRuns {
  /** Runs that were ours to the end, and how they ended. */
  finished: { result: RunResult; status: 'done' | 'late' }[];
  triggers: NewTrigger[];
  /** Rules that are not evaluated for a while from now on. */
  quarantined: QuarantinedRule[];
  /** Costs that are put down now. */
  costs: { rule: EvaluableRule; cost: RuleCost }[];
  /** Runs of these tenants that wait for their turn now. */
  waiting: { tenantId: string; runId: string }[];
}

/**
 * Commits a batch of runs in one transaction, which begins with the fence: a run whose lease another holds by now is left out.
 * What people changed meanwhile wins: only the outcome of that rule is dropped. The number of statements does not depend on the batch.
 */
export function commitRuns({ db }: Pick<PipelineDeps, 'db'>, results: readonly RunResult[]): Promise<CommittedRuns> {
  const tenantIds = results.map(({ run }) => run.tenantId);
  return withTenantsSql(db, tenantIds, async (sql) => {
    const fence = await finishRuns(sql, results.map(finishedRun));
    const statuses = new Map(fence.map(({ tenantId, status }) => [tenantId, status]));
    const finished = results.flatMap((result) => {
      const status = statuses.get(result.run.tenantId);
      return status === undefined ? [] : [{ result, status }];
    });
    if (finished.length === 0) return { finished: [], triggers: [], quarantined: [], costs: [], waiting: [] };

    const ours = finished.map(({ result }) => result);
    const outcomes = ours.flatMap((result) => result.outcomes);
    const changing = outcomes.filter((outcome) => changesAnything(outcome) || changesConduct(outcome) || hasMovedDelay(outcome));
    await markSuperseded(sql, changing);
    const superseded = ours.filter((result) => result.outcomes.some((outcome) => outcome.isSuperseded));
    if (superseded.length > 0) await correctRunCounts(sql, superseded.map(finishedRun));

    const current = changing.filter((outcome) => !outcome.isSuperseded);
    const triggers = await write(sql, collectWrites(current));
    // After the news of the rules: quarantine has the last word on health.
    const quarantined = await recordConduct(sql, current);
    await unlessEmpty(current.filter(hasMovedDelay), (rows) =>
      setRuleDelays(
        sql,
        rows.map(({ planned: { rule, delayMs } }) => ({ tenantId: rule.tenantId, ruleId: rule.id, delayMs })),
      ),
    );
    faultPoint('evaluator.mid-transaction');
    await tellUnreadable(
      sql,
      ours.flatMap(({ unreadable }) => unreadable),
    );
    const costs = outcomes.flatMap(({ planned: { rule } }) => {
      const cost = costToWrite(rule);
      return cost === null ? [] : { rule, cost };
    });
    const recovered = ours.filter(({ run }) => run.failedRuns > 0).map(({ run }) => run.tenantId);
    // A tenant's runs end in order: what waits is younger than what has ended.
    const endedMs = Math.min(...ours.map(({ run }) => run.slotMs));
    const [waiting] = await Promise.all([
      waitingRuns(sql, tenantIds, endedMs),
      insertSegments(sql, ours.flatMap(historyOf)),
      unlessEmpty(recovered, (rows) => clearBackOff(sql, rows)),
      unlessEmpty(costs, (rows) =>
        writeRuleCosts(
          sql,
          rows.map(({ rule, cost }) => ({ tenantId: rule.tenantId, ruleId: rule.id, ...cost })),
        ),
      ),
    ]);
    return { finished, triggers, quarantined, costs, waiting };
  });
}

/** Of a rule whose delay follows how late events come, when this slot's is another than that of the slot before. */
const hasMovedDelay = ({ head, planned: { rule, delayMs } }: RuleOutcome): boolean =>
  rule.compiled.delayFollows !== null && delayMs !== (head.marks?.delayMs ?? rule.compiled.evaluationDelayMs);

const historyOf = ({ run, outcomes, unreadable, time }: RunResult): NewSegment[] =>
  encodeEvaluations(run.tenantId, [
    ...evaluationRows(outcomes, time),
    ...unreadableRows(
      run,
      unreadable.map(({ rule }) => rule),
      time,
    ),
  ]);

const finishedRun = ({ run, outcomes, unreadable }: RunResult): FinishedRun => {
  const counted = outcomes.filter((outcome) => !outcome.isSuperseded);
  return {
    tenantId: run.tenantId,
    slotMs: run.slotMs,
    token: run.token,
    slotEveryMs: run.slotEveryMs,
    kind: run.kind,
    observedSlotMs: run.observedSlotMs,
    rules: outcomes.length + unreadable.length,
    series: outcomes.reduce((total, outcome) => total + outcome.series.length + outcome.dropped, 0),
    triggers: counted
      .filter(({ planned }) => !planned.rule.compiled.isShadow)
      .reduce((total, outcome) => total + outcome.series.filter(({ step }) => step.change !== null).length, 0),
  };
};

/** Locks what is about to be written and marks the outcomes whose rule or series is not what it was when it was read. */
async function markSuperseded(sql: SqlTx, changing: readonly RuleOutcome[]): Promise<void> {
  if (changing.length === 0) return;
  const rules = changing.map(({ planned: { rule } }) => ({ tenantId: rule.tenantId, ruleId: rule.id, version: rule.version }));
  const { series, forgotten } = collectWrites(changing);
  const [current, changed] = await Promise.all([
    lockCurrentRules(sql, rules),
    unlessEmpty([...series, ...forgotten], (refs) => lockChangedSeries(sql, refs)),
  ]);
  const [isCurrent, hasChanged] = [new Set(current), new Set(changed)];
  for (const outcome of changing) {
    const { id } = outcome.planned.rule;
    outcome.isSuperseded = !isCurrent.has(id) || hasChanged.has(id);
  }
}

/** A rule that cannot be evaluated is in error by itself; its series and alerts stay as they are. */
async function tellUnreadable(sql: SqlTx, unreadable: LoadedRules['unreadable']): Promise<void> {
  const news = unreadable
    .filter(({ rule, head }) => head.health !== 'error' || head.healthReason !== reasonUnreadable(rule))
    .map(({ rule }) => rule);
  if (news.length === 0) return;
  const current = new Set(
    await lockCurrentRules(
      sql,
      news.map(({ tenantId, id, version }) => ({ tenantId, ruleId: id, version })),
    ),
  );
  await recordRuleNews(
    sql,
    news
      .filter(({ id }) => current.has(id))
      .map((rule) => ({
        tenantId: rule.tenantId,
        ruleId: rule.id,
        health: 'error',
        healthReason: reasonUnreadable(rule),
        lastTriggeredMs: null,
        newTriggers: 0,
      })),
  );
}

const reasonUnreadable = ({ fault }: UnreadableRule): string => `rule_unreadable: ${fault}`;

/** Answers the triggers that were told. Statements go out together; only what numbers the triggers is waited for. */
async function write(sql: SqlTx, writes: RunWrites): Promise<NewTrigger[]> {
  const [, updated] = await Promise.all([
    unlessEmpty(writes.opened, (rows) => openAlerts(sql, rows)),
    unlessEmpty(writes.updated, (rows) => updateAlerts(sql, rows)),
  ]);
  const opened = new Set(writes.opened.map((alert) => alert.id));
  const carried = new Map(updated?.map((alert) => [alert.id, alert]));
  const triggers = writes.triggers.flatMap((trigger): NewTrigger[] => {
    if (opened.has(trigger.alertId)) return [trigger];
    const alert = carried.get(trigger.alertId);
    if (alert === undefined) return [];
    const { seq, status, acknowledgedBy } = alert;
    const handled = acknowledgedBy === null ? { status } : { status, acknowledgedBy };
    return [{ ...trigger, seq, snapshot: { ...trigger.snapshot, ...handled } }];
  });
  await Promise.all([
    unlessEmpty(writes.timeline, (rows) => insertAlertEvents(sql, rows)),
    unlessEmpty(triggers, (rows) => insertTriggers(sql, rows)),
    unlessEmpty(
      triggers.filter(({ kind }) => kind === 'escalated'),
      (rows) => endSilencesOfRisen(sql, rows),
    ),
    unlessEmpty(writes.reminders, (rows) => setReminders(sql, rows)),
    unlessEmpty(writes.closed, (rows) => dropTimers(sql, rows)),
    unlessEmpty(writes.series, (rows) => writeSeriesStates(sql, rows)),
    unlessEmpty(writes.forgotten, (rows) => deleteSeriesStates(sql, rows)),
    unlessEmpty(writes.rules, (rows) => recordRuleNews(sql, rows)),
    unlessEmpty(writes.extra, (rows) => recordExtraSlots(sql, rows)),
  ]);
  return triggers;
}

const unlessEmpty = <Row, Result>(
  rows: readonly Row[],
  statement: (rows: readonly Row[]) => Promise<Result>,
): Promise<Result> | undefined => (rows.length === 0 ? undefined : statement(rows));
