import { maintain } from '@tocsin/queue';
import { MAINTENANCE } from '../maintain/start-maintenance.ts';
import type { PipelineDeps } from '../pipeline-deps.ts';
import { sendHints } from '../send-hints.ts';
import { openSweep } from '../sweep/sweep.ts';
import { claimDueSlots } from './claim-due-slots.ts';

const LONGEST_SLEEP_MS = 1_000;
/** Also the pause while another process holds what is due. */
const SHORTEST_SLEEP_MS = 20;
const SWEEP_EVERY_MS = 2_000;
/** Servers that keep time move it by less. */
const SET_BACK_MS = 1_000;

interface Scheduling {
  /** False: somebody else claims the slots; all the rest goes on. */
  claims?: boolean;
  /** Called after each look for due slots that worked, or without claims for due work, at least every other second. */
  looked?: () => void;
}

/**
 * Claims slots as they fall due, hints again what was left lying, and asks for maintenance, until `signal` aborts.
 * Any number of replicas, without a leader: each does what the others are not doing at the moment.
 */
export async function runScheduler(
  deps: PipelineDeps,
  signal: AbortSignal,
  { claims = true, looked = () => {} }: Scheduling = {},
): Promise<void> {
  const sweep = openSweep(deps);
  const claim = openClaim(deps);
  await Promise.all([
    ...(claims
      ? [
          repeat(deps, signal, 'claim', async () => {
            const waitMs = await claim();
            looked();
            return waitMs;
          }),
        ]
      : []),
    repeat(deps, signal, 'sweep', async () => {
      await sweep();
      if (!claims) looked();
      return SWEEP_EVERY_MS;
    }),
    ...MAINTENANCE.map(({ everyMs, task }) =>
      repeat(deps, signal, task, async () => {
        await sendHints(deps, maintain, [{ task }]);
        return everyMs;
      }),
    ),
  ]);
}

/** A clock that is set back leaves slots that are over ahead of it, and what is over is not evaluated again: until it has caught up nothing is. */
function openClaim(deps: PipelineDeps): () => Promise<number> {
  let lastMs = 0;
  return async () => {
    const { runs, skipped, nextInMs, nowMs } = await claimDueSlots(deps);
    if (runs > 0) deps.logger.debug({ runs }, 'slots claimed');
    if (skipped > 0) deps.logger.warn({ skipped }, 'slots were missed and are on record as skipped');
    if (nowMs < lastMs - SET_BACK_MS) {
      deps.logger.error(
        { setBackMs: lastMs - nowMs, nextInMs },
        "the database's clock was set back: nothing is evaluated until it is where it was",
      );
    }
    lastMs = nowMs;
    return Math.min(LONGEST_SLEEP_MS, Math.max(SHORTEST_SLEEP_MS, nextInMs ?? LONGEST_SLEEP_MS));
  };
}

/** `work` answers how long there is nothing to do. */
async function repeat({ clock, logger }: PipelineDeps, signal: AbortSignal, name: string, work: () => Promise<number>): Promise<void> {
  while (!signal.aborted) {
    const waitMs = await work().catch((error: unknown) => {
      logger.error({ err: error }, `scheduler: ${name} failed; trying again`);
      return LONGEST_SLEEP_MS;
    });
    await clock.sleep(waitMs, signal);
  }
}
