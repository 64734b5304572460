import type { Clock } from '@tocsin/domain';

export interface FakeClock extends Clock {
  /** Moves time; sleepers wake in the order they fall due. */
  tick: (ms: number) => void;
  /** How many are asleep now. */
  sleepers: () => number;
}

/** A clock that moves only when told to. Starts at an RFC 3339 time. */
export function fakeClock(start = '2026-01-05T12:00:00Z'): FakeClock {
  let nowMs = Date.parse(start);
  let sleeping: { dueMs: number; wake: () => void }[] = [];
  return {
    now: () => nowMs,
    sleep: (ms, signal) =>
      new Promise((resolve) => {
        const sleeper = { dueMs: nowMs + ms, wake: resolve };
        if (signal.aborted || ms <= 0) return resolve();
        sleeping.push(sleeper);
        signal.addEventListener(
          'abort',
          () => {
            sleeping = sleeping.filter((other) => other !== sleeper);
            resolve();
          },
          { once: true },
        );
      }),
    tick(ms) {
      nowMs += ms;
      const due = sleeping.filter(({ dueMs }) => dueMs <= nowMs).sort((a, b) => a.dueMs - b.dueMs);
      sleeping = sleeping.filter(({ dueMs }) => dueMs > nowMs);
      for (const { wake } of due) wake();
    },
    sleepers: () => sleeping.length,
  };
}
