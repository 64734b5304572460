import type { EpochMs } from '@tocsin/domain';

const MINUTE = 60_000;
const DAY = 24 * 60 * MINUTE;

/** Adjoining ranges from the newest to the oldest that grow: a page of a busy tenant opens minutes, an empty month costs a few reads. */
export function* lookBack(fromMs: EpochMs, toMs: EpochMs): Generator<{ fromMs: EpochMs; toMs: EpochMs }> {
  let end = toMs;
  for (let stepMs = MINUTE; end > fromMs; stepMs = Math.min(stepMs * 4, DAY)) {
    const start = Math.max(fromMs, end - stepMs);
    yield { fromMs: start, toMs: end };
    end = start;
  }
}
