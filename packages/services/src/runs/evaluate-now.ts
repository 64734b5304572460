import type { EvaluatedNow } from '@tocsin/contracts';
import { queueRun, waitForRuns } from '@tocsin/pipeline';
import { AppError, notFound } from '../app-error.ts';
import type { Context } from '../context.ts';
import { once } from '../idempotency.ts';
import { timeText } from '../time-text.ts';
import { verb } from '../verb.ts';

const ANSWER_WITHIN_MS = 24_000;

/** Evaluates all enabled rules of the tenant at this moment, and says what it came to, or that it is still to come. Throws a 429 where too many of its runs wait. */
export const evaluateNow = verb('evaluate:now', ({ ctx }: { ctx: Context; input: { body: undefined } }): Promise<EvaluatedNow> => {
  const { tenantId, actor, clock, scheduler } = ctx;
  const untilMs = clock.now() + ANSWER_WITHIN_MS;
  return once(ctx, async () => {
    const run = await queueRun(ctx, { tenantId, kind: 'manual', ruleIds: null, actor, coversOlder: scheduler === 'external' });
    if (run === null) throw notFound('tenant');
    if (run === 'busy') throw new AppError('too_many_requests', 'Too many runs of this tenant wait already.', { retryAfterMs: 5_000 });
    const [outcome] = await waitForRuns(ctx, [run], untilMs);
    const status = outcome?.status === 'done' || outcome?.status === 'late' || outcome?.status === 'failed' ? outcome.status : 'queued';
    return {
      runId: run.id,
      slot: timeText(run.slotMs),
      status,
      rulesEvaluated: outcome?.rules ?? null,
      eventsFired: outcome?.triggers ?? null,
    };
  });
});
