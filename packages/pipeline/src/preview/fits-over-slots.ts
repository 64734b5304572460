import {
  fitModel,
  HISTORY_STEP_MS,
  historySpan,
  seriesKey,
  type CompiledRule,
  type EpochMs,
  type Fits,
  type HistoryInput,
  type HistoryResult,
  type HistorySource,
} from '@tocsin/domain';

/**
 * What was usual at each slot of a range, for each of the rule's histories: the past of all slots is read once, and each day, or hour, of it fitted to the
 * part that was known then. Hours nobody has prepared are worked out.
 */
export async function fitsOverSlots(
  source: HistorySource,
  tenantId: string,
  rule: CompiledRule,
  endsMs: readonly EpochMs[],
  signal: AbortSignal,
): Promise<(slot: number) => Fits[]> {
  const { histories } = rule;
  if (histories.length === 0 || endsMs.length === 0) return () => [];
  const whole = histories.map((history) => ({
    fromMs: historySpan(history, endsMs[0]!).fromMs,
    toMs: historySpan(history, endsMs.at(-1)!).toMs,
  }));
  const queries = histories.map(({ query }, index) => ({ query, ...whole[index]! }));
  const [results = []] = await source.history([{ tenantId, queries }], signal, { compute: true });
  const fitted = histories.map(() => new Map<EpochMs, Fits>());
  return (slot) =>
    histories.map((history, index) => {
      const span = historySpan(history, endsMs[slot]!);
      let fits = fitted[index]!.get(span.toMs);
      if (fits === undefined) {
        fits = fitsOf(history, results[index], whole[index]!.fromMs, span);
        fitted[index]!.set(span.toMs, fits);
      }
      return fits;
    });
}

function fitsOf(
  { model }: HistoryInput,
  result: HistoryResult | undefined,
  wholeFromMs: EpochMs,
  span: { fromMs: EpochMs; toMs: EpochMs },
): Fits {
  if (result === undefined || result.kind === 'failed') return { kind: 'failed' };
  if (result.kind === 'warming') return { kind: 'warming' };
  const [first, last] = [(span.fromMs - wholeFromMs) / HISTORY_STEP_MS, (span.toMs - wholeFromMs) / HISTORY_STEP_MS];
  const series = result.series.map(({ labels, values, samples }) => ({
    labels,
    values: values.subarray(first, last),
    samples: samples.subarray(first, last),
  }));
  return { kind: 'fits', of: new Map(series.map((each) => [seriesKey(each.labels), fitModel(model, each, span.fromMs)])) };
}
