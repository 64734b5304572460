import type { EpochMs } from './clock.ts';

const MONTHS = ['Jan', 'Feb', 'Mar', 'Apr', 'May', 'Jun', 'Jul', 'Aug', 'Sep', 'Oct', 'Nov', 'Dec'];
const IMF_FIXDATE = /^(?:Mon|Tue|Wed|Thu|Fri|Sat|Sun), (\d{2}) ([A-Z][a-z]{2}) (\d{4}) (\d{2}):(\d{2}):(\d{2}) GMT$/;

/**
 * The wait a `Retry-After` header asks for, in milliseconds: whole seconds or an HTTP date (RFC 9110 §10.2.3, the one form senders may write).
 * A date in the past is 0, seconds beyond what a number holds are Infinity. Null: not a value of the header, so as good as absent.
 */
export function parseRetryAfter(header: string, nowMs: EpochMs): number | null {
  const text = header.trim();
  if (/^\d+$/.test(text)) return Number(text) * 1_000;
  const dateMs = httpDate(text);
  return dateMs === null ? null : Math.max(0, dateMs - nowMs);
}

function httpDate(text: string): EpochMs | null {
  const match = IMF_FIXDATE.exec(text);
  if (match === null) return null;
  const month = MONTHS.indexOf(match[2] ?? '') + 1;
  const [day, year, hour, minute, second] = [1, 3, 4, 5, 6].map((group) => Number(match[group])) as [
    number,
    number,
    number,
    number,
    number,
  ];
  if (month === 0 || day < 1 || day > 31 || hour > 23 || minute > 59 || second > 60) return null;
  return ((daysFromCivil(year, month, day) * 24 + hour) * 60 + minute) * 60_000 + second * 1_000;
}

/** Days since 1970-01-01 in the proleptic Gregorian calendar: https://howardhinnant.github.io/date_algorithms.html#days_from_civil */
function daysFromCivil(year: number, month: number, day: number): number {
  const marchYear = month <= 2 ? year - 1 : year;
  const era = Math.floor(marchYear / 400);
  const yearOfEra = marchYear - era * 400;
  const dayOfYear = Math.floor((153 * (month > 2 ? month - 3 : month + 9) + 2) / 5) + day - 1;
  const dayOfEra = yearOfEra * 365 + Math.floor(yearOfEra / 4) - Math.floor(yearOfEra / 100) + dayOfYear;
  return era * 146_097 + dayOfEra - 719_468;
}
