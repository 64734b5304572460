import { insertSegments, type NewSegment, withTenantsSql } from '@tocsin/db';
import type { BenchDatabase } from './bench-database.ts';
import { seeded, spansOf } from './span-data.ts';
import { segmentOf } from './span-segments.ts';

const MINUTE = 60_000;
const HOUR = 60 * MINUTE;
const DAY = 24 * HOUR;
const SEGMENTS_PER_INSERT = 500;
/** Of the busy day. */
export const DAY_SERIES = 20;
export const DAY_EVENTS = 1_000_000;

export async function load({ db }: BenchDatabase, segments: Iterable<NewSegment>): Promise<void> {
  let some: NewSegment[] = [];
  const insert = (): Promise<void> => withTenantsSql(db, [some[0]!.tenantId], (sql) => insertSegments(sql, some));
  for (const segment of segments) {
    some.push(segment);
    if (some.length < SEGMENTS_PER_INSERT) continue;
    await insert();
    some = [];
  }
  if (some.length > 0) await insert();
}

/** A segment a minute, as they are until they are a day old. */
export function* minutesOfDay(tenantId: string, endMs: number): Generator<NewSegment> {
  const random = seeded(1);
  for (let minuteMs = Math.floor((endMs - DAY) / MINUTE) * MINUTE; minuteMs < endMs; minuteMs += MINUTE) {
    const spans = spansOf(0, minuteMs, Math.ceil((DAY_EVENTS * MINUTE) / DAY));
    for (let row = 0; row < spans.count; row++) spans.operation[row] = Math.floor(random() * DAY_SERIES);
    yield segmentOf(tenantId, spans);
  }
}

/** A segment an hour, as they are afterwards. */
export function* hoursOfMonth(tenantId: string, endMs: number): Generator<NewSegment> {
  for (let hourMs = Math.floor((endMs - 30 * DAY) / HOUR) * HOUR; hourMs < endMs; hourMs += HOUR) {
    const spans = spansOf(1, hourMs, HOUR / 10_000);
    for (let row = 0; row < spans.count; row++) spans.tsMs[row] = hourMs + row * 10_000;
    yield segmentOf(tenantId, spans);
  }
}
