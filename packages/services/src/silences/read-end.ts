import type { SilenceAlert } from '@tocsin/contracts';
import { parseDuration } from '@tocsin/domain';
import { invalid } from '../app-error.ts';

const DEFAULT_MS = 86_400_000;
const LONGEST_MS = 366 * 86_400_000;

/** When a silence that begins then is to end. Throws a 422. */
export function readEnd({ duration, until, onResolve }: Pick<SilenceAlert, 'duration' | 'until' | 'onResolve'>, startMs: number): number {
  if (duration !== undefined && until !== undefined)
    throw invalid([{ pointer: '/until', code: 'conflict', message: 'say either `duration` or `until`' }]);
  if (duration === undefined && until === undefined && !onResolve)
    throw invalid([{ pointer: '/duration', code: 'required', message: 'say how long: `duration`, `until` or `onResolve`' }]);
  if (until !== undefined) {
    if (until > startMs && until <= startMs + LONGEST_MS) return until;
    throw invalid([{ pointer: '/until', code: 'out_of_range', message: 'must be later than its beginning, by 366 days at most' }]);
  }
  const ms = duration === undefined ? DEFAULT_MS : parseDuration(duration.trim());
  if (ms === null) throw invalid([{ pointer: '/duration', code: 'bad_duration', message: 'must be a duration such as 30m, 2h or 7d' }]);
  if (ms >= 1_000 && ms <= LONGEST_MS) return startMs + ms;
  throw invalid([{ pointer: '/duration', code: 'out_of_range', message: 'must be from 1s to 366d' }]);
}
