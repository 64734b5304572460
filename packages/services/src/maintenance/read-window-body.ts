import { PutMaintenanceWindow } from '@tocsin/contracts';
import { closestBeginnings, formatDuration, type MaintenanceTimes, parseDuration, type Matcher } from '@tocsin/domain';
import { invalid } from '../app-error.ts';
import { parse } from '../parse.ts';

const LONGEST_MS = 30 * 86_400_000;
const SHORTEST_MS = 60_000;

export interface WindowSettings extends MaintenanceTimes {
  name: string;
  matchers: Matcher[];
}

/** Occurrences must not lie upon each other. Throws a 422. */
export function readWindowBody(body: unknown): WindowSettings {
  const { duration, ...rest } = parse(PutMaintenanceWindow, body);
  const durationMs = parseDuration(duration.trim());
  if (durationMs === null) throw invalid([{ pointer: '/duration', code: 'bad_duration', message: 'must be a duration such as 30m or 4h' }]);
  if (durationMs < SHORTEST_MS || durationMs > LONGEST_MS)
    throw invalid([{ pointer: '/duration', code: 'out_of_range', message: `must be from 1m to ${formatDuration(LONGEST_MS)}` }]);
  const settings = { ...rest, durationMs };
  const apartMs = beginningsOf(settings);
  if (apartMs === null || durationMs <= apartMs) return settings;
  const message = `must not be longer than the ${formatDuration(apartMs)} after which it begins again`;
  throw invalid([{ pointer: '/duration', code: 'conflict', message }]);
}

function beginningsOf(settings: MaintenanceTimes): number | null {
  try {
    return closestBeginnings(settings);
  } catch (error) {
    if (!(error instanceof RangeError)) throw error;
    const message = `is no cron expression such as '0 2 * * 6': ${error.message}`;
    throw invalid([{ pointer: '/recurrence/cron', code: 'bad_cron', message }]);
  }
}
