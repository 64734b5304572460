import type { EpochMs } from '@tocsin/domain';
import type { EventBounds } from '../bounds.ts';
import { refuse, type Refusal } from './append-event.ts';
import { parseTimestamp } from './timestamp.ts';

/** When an event happened: its `ts`, or now when it has none. */
export function eventTime(raw: unknown, nowMs: EpochMs, bounds: EventBounds): EpochMs | Refusal {
  const { ts } = raw as { ts?: unknown };
  if (ts === undefined) return nowMs;
  const tsMs = typeof ts === 'number' && Number.isFinite(ts) ? Math.floor(ts) : typeof ts === 'string' ? parseTimestamp(ts) : NaN;
  if (Number.isNaN(tsMs)) return refuse('bad_ts', 'ts must be an RFC 3339 time or epoch milliseconds');
  if (tsMs > nowMs + bounds.aheadMs) return refuse('ts_in_future', `ts is more than ${bounds.aheadMs / 1_000} s ahead`);
  if (tsMs < nowMs - bounds.retentionMs)
    return refuse('ts_too_old', `ts is older than the ${bounds.retentionMs / 86_400_000} days that are kept`);
  return tsMs;
}
