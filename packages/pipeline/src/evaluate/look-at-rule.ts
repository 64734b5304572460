import { readSeriesStates, enabledRuleIds, type SeriesRow, type SqlTx } from '@tocsin/db';
import {
  standsSo,
  stepRule,
  windowsAt,
  type Circumstances,
  type CompiledRule,
  type EpochMs,
  type MetricSource,
  type QueryResult,
  type RememberedSeries,
  type RuleStep,
  type SlotTime,
  type WindowedQuery,
} from '@tocsin/domain';
import type { KnownFits } from './known-fits.ts';
import { chosenQueries } from './read-runs.ts';

export interface LookDeps {
  source: MetricSource;
  fits: KnownFits;
}

export interface Looked {
  tenantId: string;
  compiled: CompiledRule;
  time: SlotTime;
  /** What is remembered of its series; none for a rule that nobody saved. */
  known: readonly RememberedSeries[];
  /** For each of its references whether the other rule stands so; null: there is none of that key. */
  references: readonly (boolean | null)[];
  seriesPerRule?: number;
}

/** What a rule finds at a slot, with all that it was found from. Nothing of it is written. */
export interface RuleLook {
  windows: WindowedQuery[];
  results: readonly QueryResult[];
  circumstances: Circumstances & { endMs: EpochMs };
  step: RuleStep<RememberedSeries>;
}

/**
 * Looks at one rule at a slot as the evaluator does, through the same functions, and changes nothing. The past is worked out at once where nobody has
 * prepared it. Queries that `signal` ends before they answered have failed.
 */
export async function lookAtRule({ source, fits }: LookDeps, looked: Looked, signal: AbortSignal): Promise<RuleLook> {
  const { tenantId, compiled, time, known, references, seriesPerRule } = looked;
  const endMs = time.slotMs - compiled.evaluationDelayMs;
  const windows = windowsAt(compiled, endMs);
  const wanted = { tenantId, compiled, endMs };
  const [results, loaded] = await Promise.all([
    ask(source, tenantId, chosenQueries(compiled, windows, known), signal),
    fits.load(compiled.histories.length === 0 ? [] : [wanted], signal, { compute: true }),
  ]);
  const atMost = seriesPerRule === undefined ? {} : { atMost: seriesPerRule };
  const circumstances = { endMs, fits: loaded.get(wanted) ?? [], references, ...atMost };
  return { windows, results, circumstances, step: stepRule(compiled, results, known, time, circumstances) };
}

async function ask(source: MetricSource, tenantId: string, queries: readonly WindowedQuery[], signal: AbortSignal): Promise<QueryResult[]> {
  if (queries.length === 0) return [];
  try {
    const [results] = await source.read([{ tenantId, queries }], signal);
    return results ?? [];
  } catch (error) {
    if (!signal.aborted) throw error;
    return queries.map(() => ({ kind: 'failed', code: 'query_timeout', message: 'not answered in time' }));
  }
}

/** What is remembered of a rule's series, and whether the rules it refers to stand so, as the evaluator left them. `ruleId` null: nobody saved it. */
export async function rememberedOf(
  sql: SqlTx,
  { tenantId, ruleId, compiled }: { tenantId: string; ruleId: string | null; compiled: CompiledRule },
): Promise<{ known: SeriesRow[]; references: (boolean | null)[] }> {
  const keys = compiled.references.map(({ rule }) => rule);
  const ids = await enabledRuleIds(sql, tenantId, keys);
  const wanted = [...new Set([...ids.values(), ...(ruleId === null ? [] : [ruleId])])];
  const rows =
    wanted.length === 0
      ? []
      : await readSeriesStates(
          sql,
          wanted.map((id) => ({ tenantId, id, reminds: false })),
        );
  const byRule = Map.groupBy(rows, (row) => row.ruleId);
  return {
    known: ruleId === null ? [] : (byRule.get(ruleId) ?? []),
    references: compiled.references.map(({ rule, is }) => {
      const id = ids.get(rule);
      return id === undefined
        ? null
        : standsSo(
            (byRule.get(id) ?? []).map(({ state }) => state),
            is,
          );
    }),
  };
}
