import type { EpochMs, RangeSource, RangeWindow } from '@tocsin/domain';
import type { Segment } from '../../codec/decode.ts';
import type { KeptHour } from '../../hours/kept-hours.ts';
import { type RangeHours, type RangeLimits, RangeRead } from './range-read.ts';
import { inSlices } from './slices.ts';
import { TimeChunks } from './time-chunks.ts';

export interface RangeStore {
  /** All segments of a tenant with anything in a stretch of time. */
  segmentsIn: (tenantId: string, span: RangeWindow, signal: AbortSignal) => Promise<Segment[]>;
  /** What is kept of closed hours that lie in these stretches, and is valid. */
  hoursIn: (tenantId: string, wanted: readonly RangeHours[], signal: AbortSignal) => Promise<KeptHour<RangeHours>[]>;
}

/**
 * Reads many windows in one pass over the segments, oldest first, chunk by chunk: of 30 days no more is opened at once than of some hours. Each
 * window is answered as `source` answers it alone, bit for bit. Of a long one the hours that are kept, closed, and cut by none of the query's windows are
 * summed up, all else is read event by event: which of both makes no difference to an answer.
 * @param reach where there can be anything
 */
export function rangeSource({ segmentsIn, hoursIn }: RangeStore, limits: RangeLimits, reach: () => RangeWindow): RangeSource {
  return {
    readRange: async ({ tenantId, queries, maxSeries }, signal, progress = () => {}) => {
      const read = new RangeRead(queries, maxSeries, limits);
      const readOnce = async (tell: (share: number) => void): Promise<void> => {
        const chunks = new TimeChunks(within(read.spans(), reach()));
        for (;;) {
          const from = chunks.share;
          const span = chunks.next();
          if (span === null) return;
          signal.throwIfAborted();
          read.begin(span.fromMs, span.toMs);
          const wanted = read.wantedHours();
          const hours = wanted.length === 0 ? [] : await hoursIn(tenantId, wanted, signal);
          const segments: Segment[] = [];
          for (const left of read.take(hours, span)) for (const segment of await segmentsIn(tenantId, left, signal)) segments.push(segment);
          let done = 0;
          const steps = handled(read, hours, segments, span.toMs, chunks.isEnd, () => (done += 1));
          await inSlices(steps, signal, () => tell(from + ((chunks.share - from) * done) / (hours.length + segments.length)));
          tell(chunks.share);
          chunks.learn(segments.reduce((sum, { rows }) => sum + rows, 0));
        }
      };
      let told = 0;
      await readOnce((share) => {
        // Once it is clear that there will be a second pass, this one is half of the work.
        told = Math.max(told, read.needsSecondPass ? share / 2 : share);
        progress(told);
      });
      read.choose();
      await readOnce((share) => progress(Math.max(told, (1 + share) / 2)));
      return read.results();
    },
  };
}

function* handled(
  read: RangeRead,
  hours: readonly KeptHour<RangeHours>[],
  segments: readonly Segment[],
  toMs: EpochMs,
  isLast: boolean,
  onPart: () => void,
): Generator<undefined, void> {
  for (const hour of hours) {
    yield* read.addHour(hour);
    onPart();
  }
  for (const segment of segments) {
    yield* read.add(segment);
    onPart();
  }
  yield* read.end(isLast ? Infinity : toMs, isLast);
}

function within(spans: readonly RangeWindow[], reach: RangeWindow): RangeWindow[] {
  return spans
    .map(({ fromMs, toMs }) => ({ fromMs: Math.max(fromMs, reach.fromMs), toMs: Math.min(toMs, reach.toMs) }))
    .filter(({ fromMs, toMs }) => fromMs < toMs);
}
