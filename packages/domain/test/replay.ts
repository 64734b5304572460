import type { CompiledRule } from '../src/compiled-rule.ts';
import type { Circumstances } from '../src/judge.ts';
import type { RangeResult } from '../src/range-reading.ts';
import type { Labels } from '../src/reading.ts';
import { replayRule, type Replay, type ReplayedSeries } from '../src/replay-rule.ts';
import { MINUTE } from './a-rule.ts';

/** One window's readings of one series, slot by slot; null is no reading. */
export const readings = (values: readonly (number | null)[], labels: Labels = {}): RangeResult => answers({ labels, values });

/** One window's readings of several series. */
export const answers = (...series: { labels: Labels; values: readonly (number | null)[] }[]): RangeResult => ({
  kind: 'range',
  series: series.map(({ labels, values }) => ({
    labels,
    values: Float64Array.from(values, (value) => value ?? Number.NaN),
    samples: Float64Array.from(values, (value) => (value === null ? 0 : 10)),
  })),
  dropped: 0,
});

interface Played {
  everyMs?: number;
  /** The slot of the first reading. */
  startMs?: number;
  circumstancesAt?: (slot: number, slotMs: number) => Circumstances;
}

/** Plays a rule over all slots that there are readings for. */
export function replayOf(
  rule: CompiledRule,
  results: readonly RangeResult[],
  { everyMs = MINUTE, startMs = everyMs, circumstancesAt = () => ({}) }: Played = {},
): Replay {
  const [first] = results;
  const length = first?.kind === 'range' ? (first.series[0]?.values.length ?? 0) : 0;
  const slots = Array.from({ length }, (_, slot) => startMs + slot * everyMs);
  const playing = replayRule(rule, results, { slots, shownFromMs: startMs - 1, everyMs }, (slot) => circumstancesAt(slot, slots[slot]!));
  for (;;) {
    const next = playing.next();
    if (next.done) return next.value;
  }
}

/** The one series of a rule without group-by. */
export function onlySeries({ series }: Replay): ReplayedSeries {
  const [only] = series;
  if (only === undefined || series.length !== 1) throw new Error(`one series was expected, not ${series.length}`);
  return only;
}
