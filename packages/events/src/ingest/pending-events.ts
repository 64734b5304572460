import type { EpochMs } from '@tocsin/domain';
import type { EventBounds } from '../bounds.ts';
import { type Meter, SegmentBuilder } from '../codec/segment-builder.ts';
import type { Rejection } from '../event.ts';
import { appendEvent, FULL, readEvent } from './append-event.ts';
import { eventTime } from './event-time.ts';

const MINUTE = 60_000;
const FIRST_CAPACITY = 16;

/** Events of one tenant that wait for a flush, as one growing segment for each minute. */
export class PendingEvents {
  readonly segments: SegmentBuilder[] = [];
  private readonly openByMinute = new Map<number, SegmentBuilder>();
  private minute = NaN;
  private open: SegmentBuilder | null = null;
  private firstCapacity = FIRST_CAPACITY;
  private readonly meter: Meter;

  constructor(meter: Meter) {
    this.meter = meter;
  }

  /** Takes the well-formed events of a request; answers how many, and why not the others. */
  add(rawEvents: readonly unknown[], nowMs: EpochMs, bounds: EventBounds): { accepted: number; rejected: Rejection[] } {
    const rejected: Rejection[] = [];
    // Most requests are of one minute. Only the first segment is made to hold all of it: a request of many minutes must not take as much for each.
    if (this.segments.length === 0) this.firstCapacity = Math.max(FIRST_CAPACITY, rawEvents.length + 1);
    for (let index = 0; index < rawEvents.length; index++) {
      const refusal = this.addOne(rawEvents[index], nowMs, bounds);
      if (refusal !== null) rejected.push({ index, ...refusal });
    }
    return { accepted: rawEvents.length - rejected.length, rejected };
  }

  private addOne(raw: unknown, nowMs: EpochMs, bounds: EventBounds): Omit<Rejection, 'index'> | null {
    const event = readEvent(raw);
    if ('code' in event) return event;
    const tsMs = eventTime(raw, nowMs, bounds);
    if (typeof tsMs !== 'number') return tsMs;
    const minute = Math.floor(tsMs / MINUTE);
    const refusal = appendEvent(this.segmentOf(minute), event, tsMs, bounds);
    if (refusal !== FULL) return refusal;
    const again = appendEvent(this.startSegment(minute), event, tsMs, bounds);
    if (again === FULL) throw new Error('One event alone has more fields than a segment may have columns');
    return again;
  }

  private segmentOf(minute: number): SegmentBuilder {
    if (minute === this.minute && this.open !== null) return this.open;
    const open = this.openByMinute.get(minute) ?? this.startSegment(minute);
    this.minute = minute;
    this.open = open;
    return open;
  }

  private startSegment(minute: number): SegmentBuilder {
    const started = new SegmentBuilder(this.segments.length === 0 ? this.firstCapacity : FIRST_CAPACITY, this.meter);
    this.segments.push(started);
    this.openByMinute.set(minute, started);
    this.minute = minute;
    this.open = started;
    return started;
  }
}
