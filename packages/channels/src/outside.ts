/** An answer of the outbound door: names of headers are lower-case, the body is cut at the door's limit. */
export interface OutboundAnswer {
  status: number;
  headers: Readonly<Record<string, string>>;
  body: string;
}

export interface OutboundCall {
  url: string;
  method: 'POST';
  headers: Record<string, string>;
  body: string;
}

/** A message of the in-app inbox. The delivery's id makes a repeated put the same message. */
export interface InboxMessage {
  deliveryId: string;
  alertId: string | null;
  title: string;
  body: Record<string, unknown>;
}

/**
 * All a channel may touch of the world. Each face is guarded, bounded in time and size, and bound to one tenant by the caller.
 * A failed call rejects with an error whose `code` says how (`timeout`, `blocked_address` …); its message is never used.
 */
export interface Outside {
  request: (call: OutboundCall, signal: AbortSignal) => Promise<OutboundAnswer>;
  /** Fetch-shaped, for libraries. */
  fetch: typeof globalThis.fetch;
  putInbox: (message: InboxMessage) => Promise<void>;
  signal: AbortSignal;
}
