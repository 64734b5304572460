import { evaluatedRuleIds, readRuleVersion, withTenantsSql } from '@tocsin/db';
import {
  answersOf,
  firstState,
  readStoredRule,
  traceCondition,
  type CompiledRule,
  type EpochMs,
  type RememberedSeries,
  type SeriesTrace,
} from '@tocsin/domain';
import type { EvaluationRow } from '@tocsin/events';
import { lookAtRule } from '@tocsin/pipeline';
import type { Context } from '../context.ts';
import { lookDeps } from './look-deps.ts';
import { standingsAt } from './slot-of-rule.ts';

/** What the windows of a past slot say when they are read again. */
export interface SeenNow {
  compiled: CompiledRule;
  /** Of one series; `isHeld`: an alert on a breach was open, so that `recover` stood in place of the threshold. */
  trace: (key: string, isHeld: boolean) => SeriesTrace;
}

/** Reads a past slot of a rule again, in the words of the version that was evaluated. Null: they are not kept, or not understood any more. */
export async function lookBack(
  ctx: Context,
  ruleId: string,
  version: number,
  slotMs: EpochMs,
  rows: readonly EvaluationRow[],
  signal: AbortSignal,
): Promise<SeenNow | null> {
  const { tenantId } = ctx;
  const found = await withTenantsSql(ctx.db, [tenantId], async (sql) => {
    const read = readStoredRule(await readRuleVersion(sql, tenantId, ruleId, version));
    if (!read.ok) return null;
    const keys = read.compiled.references.map(({ rule }) => rule);
    return { compiled: read.compiled, ids: await evaluatedRuleIds(sql, tenantId, keys) };
  });
  if (found === null) return null;
  const { compiled, ids } = found;
  const references = await standingsAt(ctx, compiled, ids, slotMs);
  const known = rows.map(({ seriesKey, labels }): RememberedSeries => ({
    seriesKey,
    labels,
    isOpen: false,
    state: firstState(slotMs),
    lastSeenMs: slotMs,
  }));
  const time = { slotMs, previousSlotMs: null, everyMs: compiled.everyMs ?? 0 };
  const { results, circumstances, windows } = await lookAtRule(
    lookDeps(ctx),
    { tenantId, compiled, time, delayMs: delayThen(compiled, rows), known, references },
    signal,
  );
  const answers = answersOf(compiled, results, circumstances);
  return { compiled, trace: (key, isHeld) => traceCondition(compiled, answers(key), windows, isHeld) };
}

/** Of a rule that follows how late events come, it is told by where its windows ended. */
const delayThen = ({ delayFollows, evaluationDelayMs }: CompiledRule, [row]: readonly EvaluationRow[]): number =>
  delayFollows === null || row === undefined ? evaluationDelayMs : row.slotMs - row.windowToMs;
