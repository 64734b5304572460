import { readRunOutcomes, withTenantsSql, type RunOutcome } from '@tocsin/db';
import type { EpochMs } from '@tocsin/domain';
import type { PipelineDeps } from '../pipeline-deps.ts';

const FIRST_LOOK_MS = 10;
const LONGEST_PAUSE_MS = 500;
const NEVER = new AbortController().signal;

/**
 * Looks at runs, ever more rarely, until all have ended or the time is over; answers them as they are then. The row is the truth: which process
 * evaluates them makes no difference.
 * @param untilMs by the process's clock
 */
export async function waitForRuns(
  { db, clock }: Pick<PipelineDeps, 'db' | 'clock'>,
  runs: readonly { tenantId: string; slotMs: EpochMs }[],
  untilMs: EpochMs,
): Promise<RunOutcome[]> {
  const ended: RunOutcome[] = [];
  let open = [...runs];
  for (let pauseMs = FIRST_LOOK_MS; open.length > 0; pauseMs = Math.min(LONGEST_PAUSE_MS, pauseMs * 1.5)) {
    await clock.sleep(Math.min(pauseMs, Math.max(0, untilMs - clock.now())), NEVER);
    const isLast = clock.now() >= untilMs;
    const asked = open;
    const found = await withTenantsSql(
      db,
      asked.map(({ tenantId }) => tenantId),
      (sql) => readRunOutcomes(sql, asked),
    );
    ended.push(...found.filter((run) => isLast || isEnded(run)));
    if (isLast) break;
    open = found.filter((run) => !isEnded(run));
  }
  return ended;
}

const isEnded = ({ status }: RunOutcome): boolean => status !== 'queued' && status !== 'running';
