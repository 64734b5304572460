import type { EpochMs } from './clock.ts';

const DAY_MS = 86_400_000;
const formats = new Map<string, Intl.DateTimeFormat>();

/** A name of the IANA database as the runtime knows it, links such as `US/Eastern` included; no bare offset. */
export function isTimeZone(name: string): boolean {
  if (!/^[A-Za-z]/.test(name)) return false;
  try {
    return formatOf(name) !== undefined;
  } catch {
    return false;
  }
}

/** What clocks show at an instant, as the UTC instant at which UTC clocks show the same. Throws for an unknown zone. */
export const wallClock = (atMs: EpochMs, timeZone: string): number => atMs + offsetAt(atMs, timeZone);

// Clocks are set at full quarters of an hour of UTC alone, everywhere since 1972.
const QUARTER_MS = 900_000;
const offsets = new Map<string, Map<number, number>>();
const OFFSETS_MAX = 5_000;

function offsetAt(atMs: EpochMs, timeZone: string): number {
  if (timeZone === 'UTC') return 0;
  let known = offsets.get(timeZone);
  if (known === undefined || known.size > OFFSETS_MAX) offsets.set(timeZone, (known = new Map()));
  const quarter = Math.floor(atMs / QUARTER_MS);
  const offset = known.get(quarter) ?? askOffset(quarter * QUARTER_MS, timeZone);
  known.set(quarter, offset);
  return offset;
}

function askOffset(atMs: EpochMs, timeZone: string): number {
  const parts = new Map<string, number>(
    formatOf(timeZone)
      .formatToParts(atMs)
      .map(({ type, value }) => [type, Number(value)]),
  );
  const part = (type: string): number => parts.get(type) ?? 0;
  return Date.UTC(part('year'), part('month') - 1, part('day'), part('hour'), part('minute'), part('second')) - atMs;
}

/** Instants in `(fromMs, toMs]` from which on clocks go by another offset; at most one a day is looked for. */
export function clockChanges(fromMs: EpochMs, toMs: EpochMs, timeZone: string): EpochMs[] {
  const changes: EpochMs[] = [];
  for (let dayMs = fromMs; dayMs < toMs; dayMs += DAY_MS) {
    let [before, after] = [dayMs, Math.min(dayMs + DAY_MS, toMs)];
    const was = offsetAt(before, timeZone);
    if (was === offsetAt(after, timeZone)) continue;
    while (after - before > 1) {
      const middle = Math.floor((before + after) / 2);
      if (offsetAt(middle, timeZone) === was) before = middle;
      else after = middle;
    }
    changes.push(after);
  }
  return changes;
}

function formatOf(timeZone: string): Intl.DateTimeFormat {
  let format = formats.get(timeZone);
  if (format === undefined) {
    format = new Intl.DateTimeFormat('en-US', {
      timeZone,
      hourCycle: 'h23',
      year: 'numeric',
      month: 'numeric',
      day: 'numeric',
      hour: 'numeric',
      minute: 'numeric',
      second: 'numeric',
    });
    formats.set(timeZone, format);
  }
  return format;
}
