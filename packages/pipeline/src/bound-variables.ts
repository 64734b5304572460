import { parseDuration } from '@tocsin/domain';
import { DEFAULT_BOUNDS } from '@tocsin/events';
import { z } from 'zod';
import { DEFAULT_RETENTION, type Retention } from './maintain/tasks.ts';
import { EVALUATION_BOUNDS, type EvaluationBounds } from './evaluate/evaluation-bounds.ts';

const DAY_MS = 86_400_000;

/** A whole number from `least` to `most`. */
export const numberVariable = (least: number, most: number, otherwise: number) =>
  z
    .string()
    .regex(/^\d{1,15}$/, 'a whole number')
    .transform(Number)
    .refine((number) => number >= least && number <= most, `a number from ${least} to ${most}`)
    .default(otherwise);

/** A duration from `least` to `most`, written as rules write one; milliseconds. */
export function durationVariable(least: string, most: string, otherwiseMs: number) {
  const [leastMs, mostMs] = [parseDuration(least) ?? 0, parseDuration(most) ?? 0];
  return z
    .string()
    .transform((text) => parseDuration(text) ?? -1)
    .refine((ms) => ms >= leastMs && ms <= mostMs, `a duration from ${least} to ${most}`)
    .default(otherwiseMs);
}

/** How long events, evaluations and runs are kept. */
export const retention = durationVariable('1d', '400d', 30 * DAY_MS);

/** Of whoever reads events. */
export const readingVariables = {
  seriesPerRead: numberVariable(1_000, 10_000_000, DEFAULT_BOUNDS.seriesPerRead),
};

/** Of whoever evaluates. */
export const evaluationVariables = {
  seriesPerRule: numberVariable(1, 10_000, EVALUATION_BOUNDS.seriesPerRule),
  seriesPerRun: numberVariable(1, 1_000_000, EVALUATION_BOUNDS.seriesPerRun),
  queryTime: durationVariable('1s', '10m', EVALUATION_BOUNDS.queryTimeMs),
  ruleTime: durationVariable('1s', '10m', EVALUATION_BOUNDS.ruleTimeMs),
};

/** Of whoever keeps house: when alerts that are over leave the tables that are written all day, and how long they can be read after their end. */
export const archiveVariables = {
  archiveAfter: durationVariable('1d', '400d', DEFAULT_RETENTION.alertsMs),
  archiveRetention: durationVariable('1d', '3650d', DEFAULT_RETENTION.archiveMs),
};

/** How long everything is kept, by the variables. */
export const retentionOf = (config: Record<keyof typeof archiveVariables | 'retention', number>): Retention => ({
  ...DEFAULT_RETENTION,
  eventsMs: config.retention,
  alertsMs: config.archiveAfter,
  // what is not archived yet is not old
  archiveMs: Math.max(config.archiveAfter, config.archiveRetention),
});

export const evaluationBounds = (config: Record<keyof typeof evaluationVariables, number>): EvaluationBounds => ({
  seriesPerRule: config.seriesPerRule,
  seriesPerRun: config.seriesPerRun,
  queryTimeMs: config.queryTime,
  ruleTimeMs: config.ruleTime,
});
