import { type Preview, PreviewRule } from '@tocsin/contracts';
import {
  countReplay,
  describeRule,
  formatDuration,
  type CompiledRule,
  type EpochMs,
  type Phase,
  PHASES,
  type ReplayedSeries,
  warningsOf,
} from '@tocsin/domain';
import { boundsOf } from '../bounds.ts';
import type { Context } from '../context.ts';
import { knownMetrics } from '../metrics/known-metrics.ts';
import { parse } from '../parse.ts';
import { timeText, timeTextOrNull } from '../time-text.ts';
import { verb } from '../verb.ts';
import { mutedInRange } from './muted-in-range.ts';
import { checkRange, playDraft, stepOf } from './play-draft.ts';
import { readRuleBody } from './read-rule-body.ts';

interface Input {
  body: unknown;
  signal: AbortSignal;
  /** Is told the share of the work that is done. */
  progress?: (share: number) => void;
}

const SERIES_SHOWN = 100;
const POINTS_OF_A_SERIES = 1_500;
/** Of all series together; some 3 MB as JSON. */
const POINTS_SHOWN = 50_000;

/** When a draft would have fired, and what it would have cost to be told. Changes nothing. */
export const previewRule = verb('rules:read', async ({ ctx, input }: { ctx: Context; input: Input }): Promise<Preview> => {
  const { rule: draft, from: fromMs, to: toMs, step } = parse(PreviewRule, input.body);
  checkRange({ fromMs, toMs });
  const askedMs = stepOf(step);
  const { spec } = await readRuleBody(draft, boundsOf(ctx).rule, knownMetrics(ctx), ['rule']);
  const { replay, slots, rule } = await playDraft(ctx, spec, { fromMs, toMs }, input.signal, input.progress);
  const counts = countReplay(rule, replay, { fromMs, toMs }, await mutedInRange(ctx, spec, { fromMs, toMs }));
  const stepMs = Math.max(slots.everyMs, askedMs ?? Math.ceil((toMs - fromMs) / POINTS_OF_A_SERIES / slots.everyMs) * slots.everyMs);
  const noisiest = replay.series.toSorted(byNoise(toMs)).slice(0, SERIES_SHOWN);
  let pointsLeft = POINTS_SHOWN;
  return {
    description: describeRule(spec),
    series: noisiest.map((series) => {
      const points = thinned(series, fromMs, stepMs);
      pointsLeft -= points.length;
      return viewSeries(series, pointsLeft >= 0 ? points : []);
    }),
    seriesTotal: replay.series.length,
    counts: { ...counts, firingMs: Math.round(counts.firingMs) },
    warnings: warningsOf(rule, replay, counts, { fromMs, toMs }),
    step: formatDuration(stepMs),
    slots: slots.slots.filter((slotMs) => slotMs > fromMs).length,
    unit: unitOf(rule),
    basis: replay.basis,
  };
});

const unitOf = ({ comparisons }: CompiledRule): string | null => comparisons[0]?.unit ?? null;

/** What fired most often comes first, then what fired longest, then what has the most to show. */
const byNoise =
  (toMs: EpochMs) =>
  (a: ReplayedSeries, b: ReplayedSeries): number =>
    b.firing.length - a.firing.length ||
    firingMs(b, toMs) - firingMs(a, toMs) ||
    b.points.length - a.points.length ||
    (a.seriesKey < b.seriesKey ? -1 : 1);

const firingMs = ({ firing }: ReplayedSeries, toMs: EpochMs): number =>
  firing.reduce((total, { from, to }) => total + (to ?? toMs) - from, 0);

type Point = ReplayedSeries['points'][number];

/** Of each step the slot with the worst phase, the last of them where several are. */
function thinned({ points }: ReplayedSeries, fromMs: EpochMs, stepMs: number): Point[] {
  const shown: Point[] = [];
  let step = -1;
  for (const point of points) {
    const at = Math.floor((point.at - fromMs - 1) / stepMs);
    const last = shown.at(-1);
    if (at !== step || last === undefined) shown.push(point);
    else if (rank(point.phase) >= rank(last.phase)) shown[shown.length - 1] = point;
    step = at;
  }
  return shown;
}

const rank = (phase: Phase): number => PHASES.indexOf(phase);

const viewSeries = ({ labels, firing }: ReplayedSeries, points: readonly Point[]): Preview['series'][number] => ({
  labels: { ...labels },
  points: points.map(({ at, value, threshold, phase }) => ({ at: timeText(at), value, threshold, state: phase })),
  firing: firing.map(viewSpan),
});

export const viewSpan = ({ from, to, severity, peak }: ReplayedSeries['firing'][number]): Preview['series'][number]['firing'][number] => ({
  from: timeText(from),
  to: timeTextOrNull(to),
  severity,
  peak,
});
