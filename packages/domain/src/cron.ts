import { Cron } from 'croner';
import type { EpochMs } from './clock.ts';

/** The instants that a cron expression names on the clocks of a time zone. */
export interface CronInstants {
  /** The first one after an instant; null: there is none any more. */
  after: (atMs: EpochMs) => EpochMs | null;
}

/**
 * Five fields, or six with seconds in front; also `@hourly` and its like. Where clocks are set forward, a fixed time that does not exist is taken when
 * they are, once; where they are set back, a fixed time counts once, and what repeats goes on repeating. Throws a RangeError that says what is wrong.
 */
export function readCron(text: string, timeZone: string): CronInstants {
  const key = `${timeZone} ${text}`;
  const known = opened.get(key);
  if (known !== undefined) return known;
  if (text.trim().split(/\s+/).length > 6) throw new RangeError('has more than six fields');
  const cron = openCron(text, timeZone);
  const instants: CronInstants = { after: (atMs) => cron.nextRun(new Date(atMs))?.getTime() ?? null };
  if (opened.size >= OPENED_MAX) opened.clear();
  opened.set(key, instants);
  return instants;
}

const opened = new Map<string, CronInstants>();
const OPENED_MAX = 1_000;

function openCron(text: string, timeZone: string): Cron {
  try {
    return new Cron(text, { timezone: timeZone, paused: true });
  } catch (error) {
    const said = error instanceof Error ? error.message.replace(/^CronPattern: /, '') : 'is not understood';
    throw new RangeError(said, { cause: error });
  }
}

const SAMPLES = 60;
const steps = new WeakMap<CronInstants, number | null>();

/** The least time between two instants among the next few, in milliseconds; null: there are no two. */
export function finestStep(cron: CronInstants, fromMs: EpochMs): number | null {
  const known = steps.get(cron);
  if (known !== undefined) return known;
  let step: number | null = null;
  let beforeMs = cron.after(fromMs);
  for (let sample = 0; sample < SAMPLES && beforeMs !== null; sample += 1) {
    const nextMs = cron.after(beforeMs);
    if (nextMs !== null) step = Math.min(step ?? Infinity, nextMs - beforeMs);
    beforeMs = nextMs;
  }
  steps.set(cron, step);
  return step;
}
