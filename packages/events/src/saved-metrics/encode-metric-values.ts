import { newId, type NewSegment } from '@tocsin/db';
import { type EpochMs, type Labels, SAVED_METRIC_MEASURE, savedMetricName } from '@tocsin/domain';
import { encodeSegment } from '../codec/codec.ts';
import type { TelemetryEvent } from '../event.ts';

const MINUTE = 60_000;

/** What a saved metric was worth at an instant, for one series. */
export interface MetricValue {
  /** Of the definition. */
  key: string;
  atMs: EpochMs;
  labels: Labels;
  value: number;
}

/** Values of one tenant as segments of its events, one a minute, to be inserted in the transaction that notes their instants as recorded. */
export const encodeMetricValues = (tenantId: string, values: readonly MetricValue[]): NewSegment[] =>
  encodeOwnEvents(tenantId, values.map(eventOf));

/** Events that we make ourselves, under names that programs may not send, as segments of a tenant's events: one a minute. Unchecked. */
export function encodeOwnEvents(tenantId: string, events: readonly TelemetryEvent[]): NewSegment[] {
  const byMinute = Map.groupBy(events, ({ tsMs }) => Math.floor(tsMs / MINUTE));
  return [...byMinute.values()].map((inMinute) => {
    const instants = inMinute.map(({ tsMs }) => tsMs);
    return {
      tenantId,
      id: newId(),
      stream: 'events',
      level: 0,
      startsAtMs: instants.reduce((a, b) => Math.min(a, b)),
      endsAtMs: instants.reduce((a, b) => Math.max(a, b)) + 1,
      eventCount: inMinute.length,
      data: encodeSegment(inMinute, { compact: false }),
    };
  });
}

/** A dim that the events of a series lack is grouped as `''`, and goes on lacking. */
function eventOf({ key, atMs, labels, value }: MetricValue): TelemetryEvent {
  const dims = Object.fromEntries(Object.entries(labels).filter(([, label]) => label !== ''));
  return { tsMs: atMs, name: savedMetricName(key), dims, measures: { [SAVED_METRIC_MEASURE]: value } };
}
