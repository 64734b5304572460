/**
 * Not known to be stored: a flush given up while it was written may have been committed. The caller may try again after `retryAfterMs`,
 * with the same `Idempotency-Key`, and it counts once.
 */
export class Overloaded extends Error {
  readonly retryAfterMs: number;

  constructor(reason: string, retryAfterMs: number, cause?: unknown) {
    super(reason, { cause });
    this.name = 'Overloaded';
    this.retryAfterMs = retryAfterMs;
  }
}

/** The key was used before with another body; nothing was stored. */
export class IdempotencyConflict extends Error {
  constructor() {
    super('This Idempotency-Key was used with a different body');
    this.name = 'IdempotencyConflict';
  }
}

/** A query looks at more series than fit into memory; its message may be shown. */
export class TooManySeries extends Error {
  override name = 'TooManySeries';
}
