import {
  clearBackOff,
  correctRunCounts,
  deleteSeriesStates,
  dropTimers,
  finishRuns,
  insertAlertEvents,
  insertSegments,
  insertTriggers,
  lockChangedSeries,
  lockCurrentRules,
  openAlerts,
  recordRuleNews,
  setReminders,
  updateAlerts,
  waitingRuns,
  withTenantsSql,
  writeSeriesStates,
  type FinishedRun,
  type LeasedRun,
  type NewTrigger,
  type SqlTx,
} from '@tocsin/db';
import { encodeEvaluations } from '@tocsin/events';
import { faultPoint } from '@tocsin/runtime';
import type { PipelineDeps } from '../pipeline-deps.ts';
import { evaluationRows, unreadableRows, type EvaluationTime } from './evaluation-rows.ts';
import type { RuleOutcome } from './judge-rule.ts';
import type { LoadedRules } from './rule-cache.ts';
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
    if (finished.length === 0) return { finished: [], triggers: [], waiting: [] };

    const ours = finished.map(({ result }) => result);
    const outcomes = ours.flatMap((result) => result.outcomes);
    const changing = outcomes.filter(changesAnything);
    await markSuperseded(sql, changing);
    const superseded = ours.filter((result) => result.outcomes.some((outcome) => outcome.isSuperseded));
    if (superseded.length > 0) await correctRunCounts(sql, superseded.map(finishedRun));

    const writes = collectWrites(changing.filter((outcome) => !outcome.isSuperseded));
    const triggers = await write(sql, writes);
    faultPoint('evaluator.mid-transaction');
    await tellUnreadable(
      sql,
      ours.flatMap(({ unreadable }) => unreadable),
    );
    await insertSegments(
      sql,
      ours.flatMap(({ run, outcomes: ofRun, unreadable, time }) =>
        encodeEvaluations(run.tenantId, [
          ...evaluationRows(ofRun, time),
          ...unreadableRows(
            run,
            unreadable.map(({ rule }) => rule),
            time,
          ),
        ]),
      ),
    );
    const recovered = ours.filter(({ run }) => run.failedRuns > 0).map(({ run }) => run.tenantId);
    if (recovered.length > 0) await clearBackOff(sql, recovered);
    return { finished, triggers, waiting: await waitingRuns(sql, tenantIds) };
  });
}

const finishedRun = ({ run, outcomes, unreadable }: RunResult): FinishedRun => {
  const counted = outcomes.filter((outcome) => !outcome.isSuperseded);
  return {
    tenantId: run.tenantId,
    slotMs: run.slotMs,
    token: run.token,
    everyMs: run.everyMs,
    rules: outcomes.length + unreadable.length,
    series: outcomes.reduce((total, outcome) => total + outcome.series.length + outcome.dropped, 0),
    triggers: counted.reduce((total, outcome) => total + outcome.series.filter(({ step }) => step.change !== null).length, 0),
  };
};

/** Locks what is about to be written and marks the outcomes whose rule or series is not what it was when it was read. */
async function markSuperseded(sql: SqlTx, changing: readonly RuleOutcome[]): Promise<void> {
  if (changing.length === 0) return;
  const rules = changing.map(({ planned: { rule } }) => ({ tenantId: rule.tenantId, ruleId: rule.id, version: rule.version }));
  const current = new Set(await lockCurrentRules(sql, rules));
  for (const outcome of changing) outcome.isSuperseded = !current.has(outcome.planned.rule.id);

  const { series, forgotten } = collectWrites(changing.filter((outcome) => !outcome.isSuperseded));
  const refs = [...series, ...forgotten];
  if (refs.length === 0) return;
  const changed = new Set(await lockChangedSeries(sql, refs));
  for (const outcome of changing) if (changed.has(outcome.planned.rule.id)) outcome.isSuperseded = true;
}

/** A rule that cannot be evaluated is in error by itself; its series and alerts stay as they are. */
async function tellUnreadable(sql: SqlTx, unreadable: LoadedRules['unreadable']): Promise<void> {
  const news = unreadable.filter(({ head }) => head.health !== 'error').map(({ rule }) => rule);
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
      .map(({ tenantId, id, fault }) => ({
        tenantId,
        ruleId: id,
        health: 'error',
        healthReason: `rule_unreadable: ${fault}`,
        lastTriggeredMs: null,
        newTriggers: 0,
      })),
  );
}

/** Answers the triggers that were told. */
async function write(sql: SqlTx, writes: RunWrites): Promise<NewTrigger[]> {
  if (writes.opened.length > 0) await openAlerts(sql, writes.opened);
  const opened = new Set(writes.opened.map((alert) => alert.id));
  const carried = new Map((writes.updated.length > 0 ? await updateAlerts(sql, writes.updated) : []).map((alert) => [alert.id, alert]));
  const triggers = writes.triggers.flatMap((trigger): NewTrigger[] => {
    if (opened.has(trigger.alertId)) return [trigger];
    const alert = carried.get(trigger.alertId);
    return alert === undefined ? [] : [{ ...trigger, seq: alert.seq, snapshot: { ...trigger.snapshot, status: alert.status } }];
  });
  if (writes.timeline.length > 0) await insertAlertEvents(sql, writes.timeline);
  if (triggers.length > 0) await insertTriggers(sql, triggers);
  if (writes.reminders.length > 0) await setReminders(sql, writes.reminders);
  if (writes.closed.length > 0) await dropTimers(sql, writes.closed);
  if (writes.series.length > 0) await writeSeriesStates(sql, writes.series);
  if (writes.forgotten.length > 0) await deleteSeriesStates(sql, writes.forgotten);
  if (writes.rules.length > 0) await recordRuleNews(sql, writes.rules);
  return triggers;
}
