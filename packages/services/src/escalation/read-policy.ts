import type { ProblemIssue, PutEscalationPolicy } from '@tocsin/contracts';
import { type DrizzleTx, type EscalationPolicyRow } from '@tocsin/db';
import { ESCALATION_BOUNDS, formatDuration, parseDuration } from '@tocsin/domain';
import { invalid } from '../app-error.ts';
import { checkChannels } from '../routing/check-channels.ts';

export type PolicySettings = Pick<EscalationPolicyRow, 'name' | 'position' | 'matchers' | 'steps' | 'repeat'>;

const { leastAfterMs, mostAfterMs } = ESCALATION_BOUNDS;

/** Checks its times, each later than the one before. Throws a 422 that names every fault. */
export function readPolicy({ name, position, matchers, steps, repeat }: PutEscalationPolicy): PolicySettings {
  const issues: ProblemIssue[] = [];
  const within = (text: string, pointer: string): number => {
    const ms = parseDuration(text.trim());
    if (ms === null) issues.push({ pointer, code: 'bad_duration', message: 'must be a duration such as 5m or 1h30m' });
    else if (ms < leastAfterMs || ms > mostAfterMs)
      issues.push({
        pointer,
        code: 'out_of_range',
        message: `must be from ${formatDuration(leastAfterMs)} to ${formatDuration(mostAfterMs)}`,
      });
    return ms ?? 0;
  };
  const read = steps.map(({ after, channels }, index) => ({
    afterMs: within(after, `/steps/${index}/after`),
    channels: [...new Set(channels)],
  }));
  for (const [index, { afterMs }] of read.entries()) {
    const before = read[index - 1];
    if (before === undefined || afterMs === 0 || afterMs > before.afterMs) continue;
    issues.push({
      pointer: `/steps/${index}/after`,
      code: 'conflict',
      message: `must be more than the ${formatDuration(before.afterMs)} of the step before it`,
    });
  }
  const again = repeat === null ? null : { everyMs: within(repeat.every, '/repeat/every'), times: repeat.times };
  if (issues.length > 0) throw invalid(issues);
  return { name, position, matchers, steps: read, repeat: again };
}

/** Every channel of every step must exist, and goes on existing until the transaction ends. */
export const checkSteps = (tx: DrizzleTx, tenantId: string, steps: PutEscalationPolicy['steps']): Promise<void> =>
  checkChannels(
    tx,
    tenantId,
    steps.flatMap(({ channels }, step) => channels.map((channel, index) => ({ pointer: `/steps/${step}/channels/${index}`, channel }))),
  );
