import type { Clock } from '@tocsin/domain';
import type { Metrics } from '@tocsin/runtime';
import { AppError } from '@tocsin/services';
import type { FastifyRequest } from 'fastify';
import { createHash, timingSafeEqual } from 'node:crypto';
import { credentialsOf } from './credentials.ts';

export interface SchedulerDoorOptions {
  /** Null: nobody may. */
  secret: string | null;
  clock: Clock;
  metrics: Metrics;
}

const HEADER = 'x-tocsin-scheduler-secret';
/** Wrong ones that are answered and logged; past them all wrong ones are told to wait. */
const WRONG_PER_MINUTE = 20;
const MINUTE_MS = 60_000;

/**
 * Lets in who sends the scheduler's secret, as its own header or as a bearer. Every attempt is counted, a wrong one logged with where it came
 * from. The right secret is let in whatever else arrives, so that nobody can keep a cron out.
 */
export function openSchedulerDoor({ secret, clock, metrics }: SchedulerDoorOptions): (request: FastifyRequest) => void {
  const wanted = secret === null ? null : sha256(secret);
  let minute = { startMs: 0, wrong: 0 };

  return (request) => {
    if (wanted === null) {
      metrics.scheduledRuns.inc({ result: 'unset' });
      throw new AppError('scheduler_unset', 'TOCSIN_SCHEDULER_SECRET is not set, so nobody may run what is due.');
    }
    const given = request.headers[HEADER] ?? bearerOf(request);
    if (typeof given === 'string' && timingSafeEqual(sha256(given), wanted)) {
      metrics.scheduledRuns.inc({ result: 'let_in' });
      return;
    }
    const nowMs = clock.now();
    if (nowMs - minute.startMs >= MINUTE_MS || nowMs < minute.startMs) minute = { startMs: nowMs, wrong: 0 };
    minute.wrong += 1;
    if (minute.wrong > WRONG_PER_MINUTE) {
      metrics.scheduledRuns.inc({ result: 'throttled' });
      const retryAfterMs = minute.startMs + MINUTE_MS - nowMs;
      throw new AppError('too_many_requests', 'Too many wrong secrets.', { retryAfterMs });
    }
    metrics.scheduledRuns.inc({ result: 'refused' });
    request.log.warn({ from: request.ip, sent: given !== undefined }, 'a scheduled run was refused: not the scheduler’s secret');
    throw new AppError('scheduler_secret_required', given === undefined ? 'No secret was sent.' : 'What was sent is not it.');
  };
}

function bearerOf({ headers }: FastifyRequest): string | undefined {
  const credentials = credentialsOf(headers.authorization);
  return credentials?.scheme === 'bearer' ? credentials.secret : undefined;
}

const sha256 = (text: string): Buffer => createHash('sha256').update(text).digest();
