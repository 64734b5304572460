const DEPTH = 8;

/** The five-character SQLSTATE of an error of any of our clients, however wrapped; null when it has none. */
export function sqlState(error: unknown): string | null {
  return codesOf(error).find((code) => /^(?=.*\d)[0-9A-Z]{5}$/.test(code)) ?? null;
}

/**
 * The same work may succeed when done again from its first statement: the server was away, restarting, full for a moment, or the
 * transaction lost to another. Classes: https://www.postgresql.org/docs/current/errcodes-appendix.html
 */
export function isRetryable(error: unknown): boolean {
  const state = sqlState(error);
  return (state !== null && RETRYABLE_CLASSES.has(state.slice(0, 2))) || codesOf(error).some((code) => RETRYABLE.has(code));
}

/** The statement was ended because of its time: the server is too slow for it, or it is too much for any server. */
export const tookTooLong = (error: unknown): boolean => sqlState(error) === '57014';

const RETRYABLE_CLASSES = new Set(['08' /* connection */, '53' /* out of connections, memory or disk */]);

const RETRYABLE = new Set([
  '25006', // read-only: a standby that was the primary
  '25P03', // idle in transaction for too long, the server hung up
  '40001', // serialization failure
  '40P01', // deadlock
  '55P03', // lock not available in time
  '57P01', // admin shutdown
  '57P02', // crash shutdown
  '57P03', // cannot connect now
  // postgres.js
  'CONNECTION_CLOSED',
  'CONNECTION_DESTROYED',
  'CONNECTION_ENDED',
  'CONNECT_TIMEOUT',
  // sockets
  'ECONNREFUSED',
  'ECONNRESET',
  'EHOSTUNREACH',
  'ENETUNREACH',
  'ENOTFOUND',
  'EAI_AGAIN',
  'EPIPE',
  'ETIMEDOUT',
]);

function codesOf(error: unknown): string[] {
  const codes: string[] = [];
  let at: unknown = error;
  for (let depth = 0; depth < DEPTH && at instanceof Error; depth += 1) {
    if ('code' in at && typeof at.code === 'string') codes.push(at.code);
    // pg has no code for this one
    if (at.message === 'Connection terminated unexpectedly' || at.message === 'timeout exceeded when trying to connect')
      codes.push('ECONNRESET');
    at = at.cause;
  }
  return codes;
}
