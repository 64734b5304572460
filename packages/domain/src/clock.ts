/** The only way code outside `runtime` learns the time. Real one in an app's main, fake in tests. */
export interface Clock {
  /** Epoch milliseconds. */
  now: () => EpochMs;
  /** Resolves after `ms`, or early when `signal` aborts. Never rejects. */
  sleep: (ms: number, signal: AbortSignal) => Promise<void>;
}

/** Milliseconds since 1970-01-01T00:00:00Z. */
export type EpochMs = number;
