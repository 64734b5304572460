import { evaluatedRuleIds, readEventLags, readRuleHead, readSeriesStates, type SeriesRow, type SqlTx, type TenantClock } from '@tocsin/db';
import {
  fittingDelayMs,
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
import { planRule } from './plan-run.ts';
import { chosenQueries } from './read-runs.ts';

export interface LookDeps {
  source: MetricSource;
  fits: KnownFits;
}

export interface Looked {
  tenantId: string;
  compiled: CompiledRule;
  time: SlotTime;
  /** How long before the slot its windows end. */
  delayMs: number;
  /** What is remembered of its series; none for a rule that nobody saved. */
  known: readonly RememberedSeries[];
  /** For each of its references whether the other rule stands so; null: there is none of that key. */
  references: readonly (boolean | null)[];
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
  const { tenantId, compiled, time, delayMs, known, references } = looked;
  const endMs = time.slotMs - delayMs;
  const windows = windowsAt(compiled, endMs);
  const wanted = { tenantId, compiled, endMs };
  const [results, loaded] = await Promise.all([
    ask(source, tenantId, chosenQueries(compiled, windows, known), signal),
    fits.load(compiled.histories.length === 0 ? [] : [wanted], signal, { compute: true }),
  ]);
  const circumstances = { endMs, fits: loaded.get(wanted) ?? [], references };
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

/** Where a rule stands. */
type Remembered = Pick<Looked, 'time' | 'delayMs' | 'references'> & { known: SeriesRow[] };

const NOTHING_ODD = { extraSlotMs: null, marks: null };
/** Slots lie on whole seconds. */
const SECOND_MS = 1_000;

/**
 * Where a rule stands that is looked at between its slots: what is remembered of its series, whether the rules it refers to stand so, and how long it waits
 * for its events, as the evaluator left all that. `ruleId` null: nobody saved it, so that nothing is remembered.
 */
export async function rememberedOf(
  sql: SqlTx,
  { tenantId, ruleId, compiled, clock }: { tenantId: string; ruleId: string | null; compiled: CompiledRule; clock: TenantClock },
): Promise<Remembered> {
  const head = ruleId === null ? null : await readRuleHead(sql, tenantId, ruleId);
  const lags = compiled.delayFollows === null ? undefined : (await readEventLags(sql, [tenantId])).get(tenantId);
  const fitting = (follows: readonly (string | null)[]): number => fittingDelayMs(follows, lags ?? new Map());
  // As if somebody asked for a run of this moment.
  const run = { ...clock, kind: 'manual' as const, coversOlder: false, slotMs: Math.floor(clock.nowMs / SECOND_MS) * SECOND_MS };
  // Were it saved, the tenant's slots would lie as close as it asks.
  const ownEveryMs = clock.isCron ? clock.slotEveryMs : (compiled.everyMs ?? clock.everyMs);
  const observed = ruleId === null ? { ...run, observedSlotMs: null, slotEveryMs: ownEveryMs } : run;
  // One that was evaluated in this very second is looked at once more all the same.
  const planned = planRule(observed, compiled, head ?? NOTHING_ODD, fitting) ?? planRule(observed, compiled, NOTHING_ODD, fitting);
  if (planned === null) throw new Error('a rule is due whenever somebody asks');
  const ids = await evaluatedRuleIds(
    sql,
    tenantId,
    compiled.references.map(({ rule }) => rule),
  );
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
    time: planned,
    delayMs: planned.delayMs,
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
