import { recordDueMetrics, type MetricRecorderDeps } from './record-due-metrics.ts';

/** How late an instant is recorded at most, in a process that is not busy. */
const LOOK_EVERY_MS = 1_000;

/** Records saved metrics as their instants come, until it is closed. Any number of processes: each takes what is in nobody's hands. */
export function startMetricRecorder(deps: MetricRecorderDeps): { close: () => Promise<void> } {
  const stop = new AbortController();
  const running = recordUntil(deps, stop.signal);
  return {
    close: () => {
      stop.abort();
      return running;
    },
  };
}

async function recordUntil(deps: MetricRecorderDeps, signal: AbortSignal): Promise<void> {
  while (!signal.aborted) {
    const isMore = await recordDueMetrics(deps, signal).catch((error: unknown) => {
      if (!signal.aborted) deps.logger.error({ err: error }, 'saved metrics could not be recorded; trying again');
      return false;
    });
    if (!isMore) await deps.clock.sleep(LOOK_EVERY_MS, signal);
  }
}
