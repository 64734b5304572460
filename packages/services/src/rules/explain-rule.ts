import { ExplainRule, type RuleExplanation } from '@tocsin/contracts';
import { findRule, runAt, selectToldAtSlot, withTenant, withTenantsSql, type CoveringRun, type RuleRow, type ToldRow } from '@tocsin/db';
import type { EpochMs } from '@tocsin/domain';
import type { EvaluationRow } from '@tocsin/events';
import { notFound } from '../app-error.ts';
import type { Context } from '../context.ts';
import { idFrom, parse } from '../parse.ts';
import { timeText, timeTextOrNull } from '../time-text.ts';
import { verb } from '../verb.ts';
import { explainSeries } from './explain-series.ts';
import { lookBack } from './look-back.ts';
import { lookSignal } from './look-deps.ts';
import { seriesWanted } from './series-wanted.ts';
import { phasesBefore, rowsAt, slotAfter, slotBefore } from './slot-of-rule.ts';

interface Input {
  id: string;
  query: unknown;
  signal: AbortSignal;
}

/** Of so many series what was told, and what their windows say now. */
const SERIES_SHOWN = 20;

/** Why a slot of a rule ended as it did: what was recorded, what the same windows say now, and what became of the messages. */
export const explainRule = verb('rules:read', async ({ ctx, input }: { ctx: Context; input: Input }): Promise<RuleExplanation> => {
  const id = idFrom(input.id, 'rule');
  const query = parse(ExplainRule, input.query, 'query');
  const isWanted = seriesWanted(query.series);
  const rule = await withTenant(ctx.db, ctx.tenantId, (tx) => findRule(tx, ctx.tenantId, { id }));
  if (rule === null) throw notFound('rule');
  const slotMs = query.slot ?? (await slotBefore(ctx, id));
  if (slotMs === null) return { ...commonOf(rule, null), text: 'This rule has not been evaluated, as far as its evaluations are kept.' };

  const [rows, before, after, run] = await Promise.all([
    rowsAt(ctx, id, slotMs),
    slotBefore(ctx, id, slotMs),
    slotAfter(ctx, id, slotMs),
    withTenantsSql(ctx.db, [ctx.tenantId], (sql) => runAt(sql, ctx.tenantId, slotMs)),
  ]);
  const nearest = { before: timeTextOrNull(before), after: timeTextOrNull(after) };
  const [first] = rows;
  if (first === undefined) return { ...commonOf(rule, slotMs), nearest, ...notEvaluated(slotMs, run, nearest) };

  const wanted = rows.filter(({ labels }) => isWanted(labels)).sort(mostToSay);
  const shown = wanted.slice(0, SERIES_SHOWN);
  const series = await explainEach(ctx, rule, slotMs, shown, input.signal);
  return {
    ...commonOf(rule, slotMs),
    evaluated: true,
    text: slotWords(rule, first, rows.length, wanted.length, shown.length),
    runId: first.runId,
    ruleVersion: first.version,
    nearest,
    series,
    more: rows.length - shown.length,
  };
});

const commonOf = ({ id, key, name, version }: RuleRow, slotMs: EpochMs | null): Omit<RuleExplanation, 'text'> => ({
  rule: { id, key, name },
  slot: timeTextOrNull(slotMs),
  evaluated: false,
  runId: null,
  ruleVersion: null,
  currentVersion: version,
  nearest: { before: null, after: null },
  skipped: null,
  series: [],
  more: 0,
});

async function explainEach(
  ctx: Context,
  rule: RuleRow,
  slotMs: EpochMs,
  rows: readonly EvaluationRow[],
  signal: AbortSignal,
): Promise<RuleExplanation['series']> {
  const [first] = rows;
  if (first === undefined) return [];
  const keys = new Set(rows.map(({ seriesKey }) => seriesKey));
  const before = await phasesBefore(ctx, rule.id, slotMs, keys);
  const [seenNow, told] = await Promise.all([
    lookBack(ctx, rule.id, first.version, slotMs, rows, lookSignal(signal)),
    withTenant(ctx.db, ctx.tenantId, (tx) => selectToldAtSlot(tx, ctx.tenantId, rule.id, slotMs)),
  ]);
  const toldOf = Map.groupBy(told, ({ seriesKey }): string => seriesKey);
  const none: ToldRow[] = [];
  return rows.map((row) =>
    explainSeries({ row, before: before.get(row.seriesKey) ?? null, seenNow, told: toldOf.get(row.seriesKey) ?? none }),
  );
}

const SAYS: readonly string[] = [
  'fired',
  'escalated',
  'resolved',
  'superseded',
  'failed',
  'suppressed',
  'breach',
  'no_data',
  'warming',
  'clear',
];

const mostToSay = (a: EvaluationRow, b: EvaluationRow): number =>
  SAYS.indexOf(a.outcome) - SAYS.indexOf(b.outcome) || (a.seriesKey < b.seriesKey ? -1 : 1);

function slotWords({ name, version }: RuleRow, row: EvaluationRow, all: number, wanted: number, shown: number): string {
  const lateMs = row.evaluatedAtMs - row.slotMs;
  const changed = row.version === version ? '' : ` It was version ${row.version} of the rule; by now there is version ${version}.`;
  const series = all === 1 ? 'one series' : `${all} series`;
  const left = wanted > shown ? ` Those ${shown} of which there is most to say are explained.` : '';
  const none = wanted === 0 ? ' None of them is the one asked for.' : '';
  return `'${name}' was evaluated for ${timeText(row.slotMs)}, ${(lateMs / 1_000).toFixed(1)} s after it, and found ${series}.${changed}${left}${none}`;
}

const SKIPPED: Readonly<Record<string, string>> = {
  missed: 'nobody was there to run it in time',
  behind: 'earlier runs had not ended yet',
  backed_off: 'runs kept failing, so the tenant was held back',
};

/** A slot that nobody evaluated: skipped, failed, still to come, or none of this rule's. */
function notEvaluated(
  slotMs: EpochMs,
  run: CoveringRun | null,
  { before, after }: RuleExplanation['nearest'],
): Pick<RuleExplanation, 'text' | 'skipped' | 'runId'> {
  const near = [before === null ? [] : [`the one before is ${before}`], after === null ? [] : [`the one after is ${after}`]].flat();
  const where = near.length === 0 ? 'No evaluated slot is kept near it.' : `Of the evaluated slots, ${near.join(' and ')}.`;
  const at = timeText(slotMs);
  const runId = run?.id ?? null;
  if (run?.status === 'skipped' && run.skippedFromMs !== null && run.skippedToMs !== null) {
    const { reason } = run;
    const skipped = { from: timeText(run.skippedFromMs), to: timeText(run.skippedToMs), count: run.skippedCount ?? 1, reason };
    const why = reason === null ? 'no reason is recorded' : `${SKIPPED[reason] ?? reason} (${reason})`;
    return {
      skipped,
      runId,
      text: `${at} was skipped with the ${skipped.count} slots from ${skipped.from} to ${skipped.to}: ${why}. ${where}`,
    };
  }
  if (run?.status === 'failed')
    return {
      skipped: null,
      runId,
      text: `The run for ${at} failed (${run.reason ?? 'no reason is recorded'}), so nothing was evaluated. ${where}`,
    };
  if (run?.status === 'queued' || run?.status === 'running')
    return { skipped: null, runId, text: `The run for ${at} has not ended yet. ${where}` };
  const due =
    run === null ? 'it is not a slot of the tenant’s schedule' : 'the rule was not due then, or was switched off or in quarantine';
  return { skipped: null, runId, text: `This rule was not evaluated at ${at}: ${due}. ${where}` };
}
