import { type Backtest, BacktestRule } from '@tocsin/contracts';
import { findRule, withTenant } from '@tocsin/db';
import { countReplay, describeRule, readStoredRule, type ReplayedSeries, type RuleSpec, warningsOf } from '@tocsin/domain';
import { AppError, notFound } from '../app-error.ts';
import { boundsOf } from '../bounds.ts';
import type { Context } from '../context.ts';
import { knownMetrics } from '../metrics/known-metrics.ts';
import { idFrom, parse } from '../parse.ts';
import { verb } from '../verb.ts';
import { mutedInRange } from './muted-in-range.ts';
import { checkRange, playDraft, type PlayedRange } from './play-draft.ts';
import { viewSpan } from './preview-rule.ts';
import { readRulePatch } from './read-rule-body.ts';

interface Input {
  id: string;
  body: unknown;
  signal: AbortSignal;
  progress?: (share: number) => void;
}

/** What a draft would have told that the stored rule did not, and the other way round, over the same past. Changes nothing. */
export const backtestRule = verb('rules:read', async ({ ctx, input }: { ctx: Context; input: Input }): Promise<Backtest> => {
  const id = idFrom(input.id, 'rule');
  const row = await withTenant(ctx.db, ctx.tenantId, (tx) => findRule(tx, ctx.tenantId, { id }));
  if (row === null) throw notFound('rule');
  const { rule: draft, from: fromMs, to: toMs } = parse(BacktestRule, input.body);
  const range = { fromMs, toMs };
  checkRange(range);
  const stored = readStoredRule(row.spec);
  if (!stored.ok) throw new AppError('rule_unreadable', `This version does not understand the stored rule: ${stored.fault}.`);
  const { spec } = await readRulePatch(row.spec, draft, boundsOf(ctx).rule, knownMetrics(ctx), ['rule']);
  const half = (from: number) => (share: number) => input.progress?.(from + share / 2);
  const before = await side(ctx, stored.spec, range, input.signal, half(0));
  const after = await side(ctx, spec, range, input.signal, half(0.5));
  const onlyStored = before.spans.filter((span) => !after.spans.some((other) => overlaps(span, other, toMs)));
  const onlyDraft = after.spans.filter((span) => !before.spans.some((other) => overlaps(span, other, toMs)));
  return {
    stored: before.view,
    draft: after.view,
    onlyStored: onlyStored.map(view),
    onlyDraft: onlyDraft.map(view),
    inBoth: after.spans.length - onlyDraft.length,
    notificationsSaved: before.view.counts.notifications - after.view.counts.notifications,
  };
});

type Span = ReplayedSeries['firing'][number] & Pick<ReplayedSeries, 'labels' | 'seriesKey'>;

async function side(
  ctx: Context,
  spec: RuleSpec,
  range: PlayedRange,
  signal: AbortSignal,
  progress: (share: number) => void,
): Promise<{ view: Backtest['draft']; spans: Span[] }> {
  const { replay, rule } = await playDraft(ctx, spec, range, signal, progress);
  const counts = countReplay(rule, replay, range, await mutedInRange(ctx, spec, range));
  const warnings = warningsOf(rule, replay, counts, range);
  return {
    view: { description: describeRule(spec), counts: { ...counts, firingMs: Math.round(counts.firingMs) }, warnings, basis: replay.basis },
    spans: replay.series.flatMap(({ labels, seriesKey, firing }) => firing.map((span) => ({ ...span, labels, seriesKey }))),
  };
}

/** Series of another group-by are no others: what counts then is the time. */
const overlaps = (a: Span, b: Span, toMs: number): boolean =>
  (a.seriesKey === b.seriesKey || !sameDims(a, b)) && a.from < (b.to ?? toMs) && b.from < (a.to ?? toMs);

const sameDims = (a: Span, b: Span): boolean => Object.keys(a.labels).sort().join() === Object.keys(b.labels).sort().join();

const view = (span: Span): Backtest['onlyDraft'][number] => ({ ...viewSpan(span), labels: { ...span.labels } });
