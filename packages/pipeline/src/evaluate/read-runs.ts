import { readSeriesStates, withTenantsSql, type LeasedRun, type RuleHead, type SeriesRow } from '@tocsin/db';
import {
  fittingDelayMs,
  type CompiledRule,
  type LagCounts,
  type MetricSource,
  type QueryResult,
  type ReadingCost,
  type WindowedQuery,
} from '@tocsin/domain';
import type { PipelineDeps } from '../pipeline-deps.ts';
import { planRun, type PlannedRule } from './plan-run.ts';
import type { EvaluableRule, LoadedRules, RuleCache } from './rule-cache.ts';
import { RUN_FULL, rulesOverBudget } from './series-budget.ts';

/** What a run needs to know before it can judge. */
export interface ReadRun {
  run: LeasedRun;
  planned: PlannedRule[];
  heads: Map<string, RuleHead>;
  /** By rule: of those that are due, and of those they refer to. */
  series: Map<string, SeriesRow[]>;
  /** Ids of the tenant's rules by key. */
  keys: ReadonlyMap<string, string>;
  unreadable: LoadedRules['unreadable'];
}

/** Reads the due rules of the runs' tenants and all series known of them, for all runs at once. */
export function readRuns({ db }: Pick<PipelineDeps, 'db'>, rules: RuleCache, runs: readonly LeasedRun[]): Promise<ReadRun[]> {
  const tenantIds = runs.map((run) => run.tenantId);
  return withTenantsSql(db, tenantIds, async (sql) => {
    const loaded = await rules.load(sql, tenantIds);
    const lags = await rules.lags.load(
      sql,
      tenantIds.filter((tenantId) => loaded.get(tenantId)?.evaluable.some(followsLags)),
    );
    const read = runs.map((run): ReadRun => {
      const { evaluable, unreadable } = wantedOf(run, loaded.get(run.tenantId));
      const planned = planRun(run, evaluable, (follows) => fittingDelayMs(follows, lags.get(run.tenantId) ?? NO_LAGS));
      return {
        run,
        planned,
        heads: new Map(evaluable.map(({ rule, head }) => [rule.id, head])),
        series: new Map(),
        keys: planned.some(({ rule }) => rule.compiled.references.length > 0)
          ? keysOf((loaded.get(run.tenantId)?.evaluable ?? []).map(({ rule }) => rule))
          : NO_KEYS,
        unreadable,
      };
    });
    const due = read.flatMap(({ run, planned, keys }) => [
      ...planned.map(({ rule: { tenantId, id, compiled } }) => ({ tenantId, id, reminds: compiled.remindEveryMs !== null })),
      ...referredTo(planned, keys).map((id) => ({ tenantId: run.tenantId, id, reminds: false })),
    ]);
    if (due.length === 0) return read;
    const byTenant = new Map(read.map((each) => [each.run.tenantId, each.series]));
    for (const row of await readSeriesStates(sql, due)) {
      const ofRule = byTenant.get(row.tenantId);
      const rows = ofRule?.get(row.ruleId);
      if (rows === undefined) ofRule?.set(row.ruleId, [row]);
      else rows.push(row);
    }
    return read;
  });
}

const NO_KEYS: ReadonlyMap<string, string> = new Map();
const keysOf = (rules: readonly EvaluableRule[]): Map<string, string> => new Map(rules.map(({ key, id }) => [key, id]));

/** Rules that are not due themselves, and that one that is due asks about. */
function referredTo(planned: readonly PlannedRule[], keys: ReadonlyMap<string, string>): string[] {
  const due = new Set(planned.map(({ rule }) => rule.id));
  const referred = planned.flatMap(({ rule }) => rule.compiled.references.flatMap((reference) => keys.get(reference.rule) ?? []));
  return [...new Set(referred)].filter((id) => !due.has(id));
}

const followsLags = ({ rule }: { rule: EvaluableRule }): boolean => rule.compiled.delayFollows !== null;
const NO_LAGS: ReadonlyMap<string, LagCounts> = new Map();

/** What the source answered to a run, in the order of its planned rules' queries. */
export interface RunAnswers {
  results: QueryResult[];
  /** Empty where the source does not measure. */
  costs: readonly ReadingCost[];
}

/** A run may be for some of its tenant's rules alone. */
function wantedOf({ ruleIds }: LeasedRun, loaded: LoadedRules = { evaluable: [], unreadable: [] }): LoadedRules {
  if (ruleIds === null) return loaded;
  const wanted = new Set(ruleIds);
  const isWanted = ({ rule }: { rule: { id: string } }): boolean => wanted.has(rule.id);
  return { evaluable: loaded.evaluable.filter(isWanted), unreadable: loaded.unreadable.filter(isWanted) };
}

/** Asks the source for everything at once. */
export async function readMetrics(
  source: MetricSource,
  runs: readonly ReadRun[],
  seriesPerRun: number,
  signal: AbortSignal,
): Promise<Map<ReadRun, RunAnswers>> {
  const asking = runs.filter(({ planned }) => planned.length > 0);
  if (asking.length === 0) return new Map();
  const requests = asking.map((each) => ({
    tenantId: each.run.tenantId,
    queries: each.planned.flatMap(({ rule, queries }) => chosenQueries(rule.compiled, queries, each.series.get(rule.id) ?? [])),
  }));
  const costs: ReadingCost[][] = [];
  const answers = await source.read(requests, signal, costs);
  return new Map(
    asking.map((each, index) => [each, { results: withinBudget(each, answers[index] ?? [], seriesPerRun), costs: costs[index] ?? [] }]),
  );
}

/** A tenant's rules share room for so many series; a rule that does not fit fails like a query, and is told of like one. */
function withinBudget({ planned, series }: ReadRun, answers: QueryResult[], seriesPerRun: number): QueryResult[] {
  let at = 0;
  const rules = planned.map(({ rule, queries }) => ({
    results: answers.slice(at, (at += queries.length)),
    known: series.get(rule.id)?.length ?? 0,
  }));
  const over = rulesOverBudget(rules, seriesPerRun);
  if (over.size === 0) return answers;
  const full: QueryResult = {
    kind: 'failed',
    code: RUN_FULL,
    message: `the tenant’s rules have more than ${seriesPerRun} series together; those with the most are not evaluated`,
  };
  return rules.flatMap(({ results }, index) => (over.has(index) ? results.map(() => full) : results));
}

/** Where there are more series than a source answers, those that matter to the rule: what it knows and what is worst. */
export function chosenQueries(
  compiled: CompiledRule,
  queries: readonly WindowedQuery[],
  known: readonly Pick<SeriesRow, 'labels'>[],
): readonly WindowedQuery[] {
  if (compiled.groupBy.length === 0) return queries;
  const of = { known: known.map(({ labels }) => labels) };
  return queries.map((query, index): WindowedQuery => {
    const choice = compiled.windows[index % compiled.windows.length]?.choice ?? null;
    return choice === null ? query : { ...query, choice: { of, ...choice } };
  });
}
