/** What this package needs of a logger; a pino logger is one. */
export interface QueueLog {
  info: (fields: object, message: string) => void;
  warn: (fields: object, message: string) => void;
  error: (fields: object, message: string) => void;
}

const QUIET_MS = 30_000;

/**
 * A listener for `error` events that says each kind of trouble once in 30 s, with how often it was seen since:
 * a server that is away makes every connection complain several times a second.
 */
export function quietErrorLog(log: QueueLog): (source: string, error: unknown) => void {
  const seen = new Map<string, { untilMs: number; repeats: number }>();
  return (source, error) => {
    const reason = reasonOf(error);
    const key = `${source} ${reason}`;
    const known = seen.get(key);
    const nowMs = performance.now();
    if (known !== undefined && nowMs < known.untilMs) {
      known.repeats += 1;
      return;
    }
    if (seen.size > 200) seen.clear();
    seen.set(key, { untilMs: nowMs + QUIET_MS, repeats: 0 });
    log.warn({ source, reason, repeats: known?.repeats ?? 0 }, 'queue trouble');
  };
}

/** The words of an error without its address or stack; an AggregateError (a refused connection) has them in its parts. */
export function reasonOf(error: unknown): string {
  if (error instanceof AggregateError && error.message === '') return error.errors.map(reasonOf).join('; ');
  return error instanceof Error ? error.message : String(error);
}
