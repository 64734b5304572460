/** Nothing was stored; the caller may try again after `retryAfterMs`. */
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
