import type { RangeSource, RangeWindow } from '@tocsin/domain';
import type { Segment } from '../../codec/decode.ts';
import { type RangeLimits, RangeRead } from './range-read.ts';
import { inSlices } from './slices.ts';
import { TimeChunks } from './time-chunks.ts';

/** All segments of a tenant with anything in a stretch of time. */
export type SegmentsIn = (tenantId: string, span: RangeWindow, signal: AbortSignal) => Promise<Segment[]>;

/**
 * Reads many windows in one pass over the segments, oldest first, chunk by chunk: of 30 days no more is opened at once than of some hours. Each
 * window is answered as `eventsSource` answers it alone, bit for bit.
 * @param reach where there can be anything
 */
export function rangeSource(segmentsIn: SegmentsIn, limits: RangeLimits, reach: () => RangeWindow): RangeSource {
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
          const segments = await segmentsIn(tenantId, span, signal);
          let done = 0;
          const steps = handled(read, segments, span, chunks.isEnd, () => (done += 1));
          await inSlices(steps, signal, () => tell(from + ((chunks.share - from) * done) / segments.length));
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
  segments: readonly Segment[],
  { fromMs, toMs }: RangeWindow,
  isLast: boolean,
  onSegment: () => void,
): Generator<undefined, void> {
  read.begin(fromMs, toMs);
  for (const segment of segments) {
    yield* read.add(segment);
    onSegment();
  }
  yield* read.end(isLast ? Infinity : toMs, isLast);
}

function within(spans: readonly RangeWindow[], reach: RangeWindow): RangeWindow[] {
  return spans
    .map(({ fromMs, toMs }) => ({ fromMs: Math.max(fromMs, reach.fromMs), toMs: Math.min(toMs, reach.toMs) }))
    .filter(({ fromMs, toMs }) => fromMs < toMs);
}
