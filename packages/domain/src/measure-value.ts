import { expectedAt } from './fit-model.ts';
import type { Comparison, ValueSource } from './compiled-rule.ts';
import type { NotReadyReason, Origin } from './origin.ts';
import type { Answer, SeriesAnswers } from './series-answers.ts';
import { wilson95 } from './statistics.ts';

/** What a comparison looks at, before it is compared. `value` is null where there is none, or with too few samples to count (`isEnough`). */
export type Measured =
  | { kind: 'value'; value: number | null; samples: number; isEnough: boolean; origin: Origin | null }
  | { kind: 'failed' }
  | { kind: 'not_ready'; reason: NotReadyReason };

const FAILED: Measured = { kind: 'failed' };
const WARMING: Measured = { kind: 'not_ready', reason: 'warming' };

export function measureValue({ value: source, minSamples, operator }: Comparison, answers: SeriesAnswers): Measured {
  switch (source.kind) {
    case 'query':
    case 'absence':
      return ofReading(answers.windows[source.window], minSamples);
    case 'rule': {
      const stands = answers.references[source.reference] ?? null;
      const value = stands === null ? null : Number(stands);
      return { kind: 'value', value, samples: stands === null ? 0 : 1, isEnough: true, origin: null };
    }
    case 'ratio':
      return ratioOf(source, answers, minSamples, operator.startsWith('<'));
    case 'anomaly_severity':
      return severityOf(source, answers, minSamples);
  }
}

/** `minSamples` of 1 asks for nothing beyond a value: an empty window's `count`, `sum` and `rate` are 0 and count. A value that is not finite is none. */
function ofReading(answer: Answer | undefined, minSamples: number): Measured {
  if (answer === undefined || answer === 'failed') return FAILED;
  if (answer === 'not_ready') return WARMING;
  const { value, samples } = answer;
  const isValue = value !== null && Number.isFinite(value);
  return { kind: 'value', value: isValue ? value : null, samples, isEnough: minSamples <= 1 || samples >= minSamples, origin: null };
}

/**
 * The bound of a share is its mild end: the lower one where much is bad, the upper one where little is, so that few events can not make it breach
 * by chance.
 */
function ratioOf(source: Extract<ValueSource, { kind: 'ratio' }>, answers: SeriesAnswers, minSamples: number, isLowBad: boolean): Measured {
  const numerator = ofReading(answers.windows[source.numerator], 1);
  const denominator = ofReading(answers.windows[source.denominator], minSamples);
  if (numerator.kind !== 'value') return numerator;
  if (denominator.kind !== 'value') return denominator;
  const { samples, isEnough } = denominator;
  if (numerator.value === null || denominator.value === null || denominator.value === 0)
    return { kind: 'value', value: null, samples, isEnough, origin: null };
  const share = numerator.value / denominator.value;
  const interval = source.bound === 'wilson95' ? wilson95(numerator.value, denominator.value) : null;
  const taken = interval === null ? share : isLowBad ? interval.high : interval.low;
  const { bound, scale } = source;
  const origin: Origin = { kind: 'ratio', numerator: numerator.value, denominator: denominator.value, share: share * scale, bound };
  return { kind: 'value', value: taken * scale, samples, isEnough, origin };
}

/** How many spreads away from what is usual each severity begins. */
const SEVERITY_SCORES = [2, 3, 4, 6];

function severityOf(source: Extract<ValueSource, { kind: 'anomaly_severity' }>, answers: SeriesAnswers, minSamples: number): Measured {
  const measured = ofReading(answers.windows[source.window], minSamples);
  const fit = answers.histories[source.history];
  if (measured.kind !== 'value' || measured.value === null) return measured;
  if (fit === undefined || fit === 'failed') return FAILED;
  const expected = fit === 'not_ready' ? null : expectedAt(fit, answers.endMs);
  if (expected === null) return { kind: 'not_ready', reason: fit === 'not_ready' ? 'warming' : 'baseline_not_ready' };
  const { centre, spread, points } = expected;
  const { value: now } = measured;
  const score = scoreOf(now, centre, spread);
  const severity = score === null ? SEVERITY_SCORES.length : SEVERITY_SCORES.filter((least) => Math.abs(score) >= least).length;
  return { ...measured, value: severity, origin: { kind: 'anomaly_severity', now, expected: centre, spread, score, points } };
}

/** Spreads away from what is usual; null where all of the past was the same and this is not. */
export function scoreOf(value: number, centre: number, spread: number): number | null {
  if (value === centre) return 0;
  return spread > 0 ? (value - centre) / spread : null;
}
