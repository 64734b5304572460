import { readSeriesStates, withTenantsSql, type LeasedRun, type RuleHead, type SeriesRow } from '@tocsin/db';
import type { MetricSource, QueryResult } from '@tocsin/domain';
import type { PipelineDeps } from '../pipeline-deps.ts';
import { planRun, type PlannedRule } from './plan-run.ts';
import type { LoadedRules, RuleCache } from './rule-cache.ts';

/** What a run needs to know before it can judge. */
export interface ReadRun {
  run: LeasedRun;
  planned: PlannedRule[];
  heads: Map<string, RuleHead>;
  /** By rule. */
  series: Map<string, SeriesRow[]>;
  unreadable: LoadedRules['unreadable'];
}

/** Reads the due rules of the runs' tenants and all series known of them, for all runs at once. */
export function readRuns({ db }: Pick<PipelineDeps, 'db'>, rules: RuleCache, runs: readonly LeasedRun[]): Promise<ReadRun[]> {
  const tenantIds = runs.map((run) => run.tenantId);
  return withTenantsSql(db, tenantIds, async (sql) => {
    const loaded = await rules.load(sql, tenantIds);
    const read = runs.map((run): ReadRun => {
      const { evaluable, unreadable } = loaded.get(run.tenantId) ?? { evaluable: [], unreadable: [] };
      const planned = planRun(
        run,
        evaluable.map(({ rule }) => rule),
      );
      return { run, planned, heads: new Map(evaluable.map(({ rule, head }) => [rule.id, head])), series: new Map(), unreadable };
    });
    const due = read.flatMap(({ planned }) => planned.map(({ rule }) => rule));
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

/** Asks the source for everything at once. Answers a list per run, in the order of its planned rules' queries. */
export async function readMetrics(
  source: MetricSource,
  runs: readonly ReadRun[],
  signal: AbortSignal,
): Promise<Map<ReadRun, QueryResult[]>> {
  const asking = runs.filter(({ planned }) => planned.length > 0);
  if (asking.length === 0) return new Map();
  const requests = asking.map(({ run, planned }) => ({ tenantId: run.tenantId, queries: planned.flatMap(({ queries }) => queries) }));
  const answers = await source.read(requests, signal);
  return new Map(asking.map((run, index) => [run, answers[index] ?? []]));
}
