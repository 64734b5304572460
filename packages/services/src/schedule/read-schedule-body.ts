import { type ProblemIssue, PutSchedule } from '@tocsin/contracts';
import {
  activeFrom,
  type ActiveHours,
  type Calendar,
  didYouMean,
  type EpochMs,
  formatDuration,
  isTimeZone,
  minuteOfDay,
  parseDuration,
  RULE_BOUNDS,
  slotAfter,
  stepOf,
} from '@tocsin/domain';
import { invalid } from '../app-error.ts';
import { parse } from '../parse.ts';

/** What a tenant's people may say of its schedule. */
export type ScheduleSettings = Omit<Calendar, 'phaseMs'>;

export const DEFAULT_SCHEDULE: ScheduleSettings = {
  everyMs: 60_000,
  debounceMs: 0,
  timeZone: 'UTC',
  cron: null,
  activeHours: [],
  pausedUntilMs: null,
};

const FINEST_CRON_MS = 10_000;
/** The years of four digits that RFC 3339 has and PostgreSQL keeps. */
const LATEST_MS = Date.UTC(2200, 0, 1);

interface ReadingOptions {
  /** Of `every`. */
  leastMs: number;
  nowMs: EpochMs;
}

/** Throws a 422 that names every fault. */
export function readScheduleBody(body: unknown, { leastMs, nowMs }: ReadingOptions): ScheduleSettings {
  const sent = parse(PutSchedule, body);
  const issues: ProblemIssue[] = [];
  const complain = (pointer: string, code: string, message: string): void => void issues.push({ pointer, code, message });
  const duration = (field: 'every' | 'debounce', least: number, otherwiseMs: number): number => {
    const text = sent[field];
    if (text === undefined) return otherwiseMs;
    const ms = parseDuration(text.trim());
    if (ms !== null && ms >= least && ms <= RULE_BOUNDS.maxEveryMs) return ms;
    const range = `must be a duration from ${formatDuration(least)} to ${formatDuration(RULE_BOUNDS.maxEveryMs)}`;
    complain(`/${field}`, 'bad_duration', `${range}, in whole units such as 30s or 5m`);
    return otherwiseMs;
  };
  const everyMs = duration('every', leastMs, Math.max(leastMs, DEFAULT_SCHEDULE.everyMs));
  const debounceMs = duration('debounce', 0, DEFAULT_SCHEDULE.debounceMs);
  const { timeZone = DEFAULT_SCHEDULE.timeZone, cron = null, activeHours = [] } = sent;
  if (!isTimeZone(timeZone)) {
    const hint = didYouMean(timeZone, Intl.supportedValuesOf('timeZone'));
    complain('/timeZone', 'unknown_time_zone', `must be the name of a time zone such as Europe/Berlin.${hint}`);
  }
  activeHours.forEach(({ from, to }, index) => {
    if ((minuteOfDay(from) ?? 0) < (minuteOfDay(to) ?? 0)) return;
    complain(
      `/activeHours/${index}/to`,
      'out_of_range',
      `must be later than 'from'; a night is two entries, up to 24:00 and from 00:00 on`,
    );
  });
  const pausedUntilMs = sent.pausedUntil == null ? null : Date.parse(sent.pausedUntil);
  if (pausedUntilMs !== null && (pausedUntilMs < 0 || pausedUntilMs > LATEST_MS))
    complain('/pausedUntil', 'out_of_range', 'must lie between 1970 and 2200');
  const settings = { everyMs, debounceMs, timeZone, cron, activeHours, pausedUntilMs };
  if (issues.length === 0 && cron !== null) {
    const fault = faultOfCron(cron, settings, nowMs);
    if (fault !== null) complain('/cron', 'bad_cron', fault);
  }
  if (issues.length > 0) throw invalid(issues);
  return settings;
}

/** Null: it can be followed. */
function faultOfCron(cron: string, settings: ScheduleSettings, nowMs: EpochMs): string | null {
  const { timeZone, activeHours } = settings;
  try {
    const step = stepOf({ ...settings, debounceMs: 0, phaseMs: 0 }, nowMs);
    if (step !== null && step < FINEST_CRON_MS)
      return `comes every ${step / 1_000} s; at least ${FINEST_CRON_MS / 1_000} s must lie between two of its instants`;
    if (step === null) return 'comes once at most';
    const first = slotAfter({ ...settings, phaseMs: 0 }, nowMs, null);
    return first === null ? `never comes within the active hours${openingText(activeHours, timeZone, nowMs)}` : null;
  } catch (error) {
    if (!(error instanceof RangeError)) throw error;
    return `is no cron expression such as '*/10 9-17 * * 1-5': ${error.message}`;
  }
}

const openingText = (activeHours: readonly ActiveHours[], timeZone: string, nowMs: EpochMs): string =>
  `, which begin next at ${new Date(activeFrom(nowMs, activeHours, timeZone)).toISOString()}`;
