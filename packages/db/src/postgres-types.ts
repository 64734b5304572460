/** Numbers of PostgreSQL's built-in types: `pg_type.oid`. */
export const OID = { int8: 20, timestamptz: 1184 } as const;

/** `2026-11-20 22:47:32.123+00` → epoch milliseconds. Throws on what has no such number: `infinity`, years BC. */
export function epochMsOf(text: string): number {
  const ms = Date.parse(text);
  if (Number.isNaN(ms)) throw new RangeError(`not an instant: ${text}`);
  return ms;
}

/** Epoch milliseconds → a literal of type timestamptz. Throws a RangeError unless finite. */
export const instantText = (epochMs: number): string => new Date(epochMs).toISOString();
