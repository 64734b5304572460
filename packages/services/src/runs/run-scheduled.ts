import type { ScheduledRun } from '@tocsin/contracts';
import { runDueTenants } from '@tocsin/pipeline';
import type { Services } from '../context.ts';

/** Hosted crons wait for half a minute at least. */
const ANSWER_WITHIN_MS = 24_000;

/** Runs all due tenants, for whoever holds the scheduler's secret. A tenant whose run failed is named, and says no more than that. */
export async function runScheduled(services: Services): Promise<ScheduledRun> {
  const outcomes = await runDueTenants(services, { withinMs: ANSWER_WITHIN_MS, actor: 'scheduled-run' });
  const results = outcomes.flatMap((outcome): ScheduledRun['results'] => {
    const { tenantId, status } = outcome;
    if (status === 'queued') return [];
    if (status === 'failed') return [{ tenantId, rulesEvaluated: 0, eventsFired: 0, error: 'evaluation_failed' }];
    return [{ tenantId, rulesEvaluated: outcome.rules, eventsFired: outcome.triggers }];
  });
  return {
    success: true,
    evaluated: results.filter(({ error }) => error === undefined).length,
    totalEventsFired: results.reduce((total, { eventsFired }) => total + eventsFired, 0),
    results,
    queued: outcomes.flatMap(({ tenantId, status }) => (status === 'queued' ? [tenantId] : [])),
  };
}
