import { type RuleTest, TestRule } from '@tocsin/contracts';
import { findRule, newId, readTenantClock, withTenant, withTenantsSql, type TenantClock } from '@tocsin/db';
import {
  answersOf,
  compileRule,
  readStoredRule,
  simulateRule,
  traceCondition,
  worstFirst,
  type Change,
  type CompiledRule,
  type RememberedSeries,
  type RuleSpec,
  type SlotTime,
  type SteppedSeries,
} from '@tocsin/domain';
import { lookAtRule, messagesOf, rememberedOf, type RuleLook } from '@tocsin/pipeline';
import { AppError, invalid, notFound } from '../app-error.ts';
import { boundsOf } from '../bounds.ts';
import type { Context } from '../context.ts';
import { knownMetrics } from '../metrics/known-metrics.ts';
import { idFrom, parse } from '../parse.ts';
import { timeText } from '../time-text.ts';
import { verb } from '../verb.ts';
import { lookDeps, lookSignal } from './look-deps.ts';
import { readRuleBody } from './read-rule-body.ts';
import { viewTrace, viewWindow } from './trace-view.ts';

interface Asked {
  query: unknown;
  signal: AbortSignal;
}

/** Looks at a rule that nobody saved, as it would be looked at now. Changes nothing. */
export const testDraft = verb(
  'rules:read',
  async ({ ctx, input }: { ctx: Context; input: Asked & { body: unknown } }): Promise<RuleTest> => {
    const { spec } = await readRuleBody(input.body, boundsOf(ctx).rule, knownMetrics(ctx));
    return testNow(ctx, { id: null, version: null, spec, compiled: compileRule(spec), packKey: null }, input);
  },
);

/** Looks at a stored rule, switched on or off, from where its series stand. Changes nothing. */
export const testRule = verb(
  'rules:read',
  async ({ ctx, input }: { ctx: Context; input: Asked & { id: string; body: undefined } }): Promise<RuleTest> => {
    const id = idFrom(input.id, 'rule');
    const row = await withTenant(ctx.db, ctx.tenantId, (tx) => findRule(tx, ctx.tenantId, { id }));
    if (row === null) throw notFound('rule');
    const read = readStoredRule(row.spec);
    if (!read.ok) throw new AppError('rule_unreadable', `This version does not understand the stored rule: ${read.fault}.`);
    return testNow(ctx, { id, version: row.version, packKey: row.packKey, ...read }, input);
  },
);

interface Tested {
  /** Null: nobody saved it. */
  id: string | null;
  version: number | null;
  spec: RuleSpec;
  compiled: CompiledRule;
  /** Null: it came with no pack. */
  packKey: string | null;
}

async function testNow(ctx: Context, tested: Tested, { query, signal }: Asked): Promise<RuleTest> {
  const { tenantId } = ctx;
  const { simulate, comparison = 0 } = parse(TestRule, query, 'query');
  if (comparison >= tested.compiled.comparisons.length) {
    const message = `There are ${tested.compiled.comparisons.length} comparisons, counted from 0.`;
    throw invalid([{ pointer: '?comparison', code: 'out_of_range', message }]);
  }
  const { id: ruleId, compiled } = tested;
  const stands = await withTenantsSql(ctx.db, [tenantId], async (sql) => {
    const clock = await readTenantClock(sql, tenantId);
    return clock === null ? null : { clock, ...(await rememberedOf(sql, { tenantId, ruleId, compiled, clock })) };
  });
  if (stands === null) throw notFound('tenant');
  const { clock, time } = stands;
  const look = await lookAtRule(lookDeps(ctx), { tenantId, compiled, ...stands }, lookSignal(signal));
  const simulation = simulate === undefined ? null : await simulateNow(ctx, tested, look, { clock, time, value: simulate, comparison });
  return { ...viewLook(tested, look, time), simulation };
}

const SERIES_SHOWN = 100;

function viewLook({ version, compiled }: Tested, look: RuleLook, { slotMs }: SlotTime): Omit<RuleTest, 'simulation'> {
  const { step, results, windows, circumstances } = look;
  const answers = answersOf(compiled, results, circumstances);
  const ordered = step.series.map((series) => ({ ...series, isOpen: isOpen(series.known) })).sort(worstFirst);
  const shown = ordered.slice(0, SERIES_SHOWN);
  const counted = Object.groupBy(ordered, ({ judgement }) => judgement.verdict);
  const [first] = windows;
  return {
    at: timeText(slotMs),
    window: first === undefined ? null : viewWindow({ fromMs: first.endMs - first.query.windowMs, toMs: first.endMs }),
    ruleVersion: version,
    health: step.health,
    healthReason: step.healthReason,
    series: shown.map((series) => {
      const { judgement } = series;
      const trace = traceCondition(compiled, answers(judgement.seriesKey), windows, isHeld(series.known));
      return {
        labels: { ...judgement.labels },
        verdict: trace.verdict,
        severity: trace.severity,
        wouldBe: viewStep(series),
        trace: viewTrace(trace.tree),
      };
    }),
    counts: {
      breach: counted.breach?.length ?? 0,
      clear: counted.clear?.length ?? 0,
      unknown: counted.unknown?.length ?? 0,
      not_ready: counted.not_ready?.length ?? 0,
      failed: counted.failed?.length ?? 0,
      untraced: ordered.length - shown.length,
      dropped: step.dropped,
    },
    errors: results.flatMap((result) => (result.kind === 'failed' ? [{ code: result.code, message: result.message }] : [])),
  };
}

const isOpen = (known: RememberedSeries | null): boolean => known?.state.phase === 'firing' || known?.state.phase === 'recovering';
/** As the step does: with `recover` in place of the threshold while an alert on a breach is open. */
const isHeld = (known: RememberedSeries | null): boolean => isOpen(known) && known?.state.alertType === 'threshold';

const viewStep = ({ known, step }: SteppedSeries<RememberedSeries>): RuleTest['series'][number]['wouldBe'] => ({
  phaseBefore: known?.state.phase ?? 'ok',
  phase: step.state.phase,
  reason: step.reason,
  change: viewChange(step.change),
});

const viewChange = (change: Change | null): RuleTest['series'][number]['wouldBe']['change'] =>
  change === null
    ? null
    : change.kind === 'resolved'
      ? { kind: change.kind, severity: null, resolveReason: change.why }
      : { kind: change.kind, severity: change.severity, resolveReason: null };

async function simulateNow(
  ctx: Context,
  { id, spec, compiled, packKey }: Tested,
  look: RuleLook,
  { clock, time, value, comparison }: { clock: TenantClock; time: SlotTime; value: number; comparison: number },
): Promise<NonNullable<RuleTest['simulation']>> {
  const { tenantId } = ctx;
  const labels = exampleSeries(compiled, look);
  const read = { results: look.results, circumstances: look.circumstances, startMs: time.slotMs, everyMs: time.everyMs };
  const simulation = simulateRule(compiled, { comparison, value, labels }, read);
  const teller = {
    tenantId,
    tenantExternalKey: clock.externalKey,
    rule: { id: id ?? newId(), key: spec.key, name: spec.name },
    labels: spec.labels,
    category: packKey,
    annotations: spec.annotations,
    notify: spec.notify,
    publicUrl: ctx.publicUrl,
  };
  const messages = await withTenantsSql(ctx.db, [tenantId], (sql) => messagesOf(sql, teller, simulation));
  return {
    comparison,
    value,
    labels: { ...labels },
    steps: simulation.steps.map(({ slotMs, change, ...step }) => ({
      at: timeText(slotMs),
      afterMs: slotMs - time.slotMs,
      ...step,
      change: viewChange(change),
    })),
    messages,
  };
}

/** The worst series there is, so that what is usual for it is known; without any, one with a word for each dimension. */
function exampleSeries({ groupBy }: CompiledRule, { step }: RuleLook): Record<string, string> {
  if (groupBy.length === 0) return {};
  const [worst] = step.series.map((series) => ({ ...series, isOpen: isOpen(series.known) })).sort(worstFirst);
  return worst === undefined ? Object.fromEntries(groupBy.map((dim) => [dim, `any ${dim}`])) : { ...worst.judgement.labels };
}
