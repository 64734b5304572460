import type { EpochMs } from '@tocsin/domain';
import type { TelemetryEvent } from '../event.ts';
import { lookBack } from './look-back.ts';
import { readEachSegment, type SegmentReader } from './read-segments.ts';

export interface RecentFilter {
  name?: string | undefined;
  fromMs: EpochMs;
  toMs: EpochMs;
  limit: number;
}

const NEVER = new AbortController().signal;

/** Newest first. */
export async function recentEvents(
  reader: SegmentReader,
  tenantId: string,
  { name, fromMs, toMs, limit }: RecentFilter,
): Promise<TelemetryEvent[]> {
  const found: TelemetryEvent[] = [];
  for (const step of lookBack(fromMs, toMs)) {
    const inStep: TelemetryEvent[] = [];
    await readEachSegment(reader, 'events', [{ tenantId, ...step }], NEVER, (_, segment) => {
      if (name !== undefined && !segment.names().codeByText.has(name)) return;
      for (const event of segment.events()) {
        if (event.tsMs >= step.fromMs && event.tsMs < step.toMs && (name === undefined || event.name === name)) inStep.push(event);
      }
    });
    found.push(...inStep.sort((a, b) => b.tsMs - a.tsMs).slice(0, limit - found.length));
    if (found.length >= limit) break;
  }
  return found;
}
