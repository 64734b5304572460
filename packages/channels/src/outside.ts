import type { SMTPTransportOptions } from 'nodemailer';

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

/** A connected socket of `node:net`. */
export type OutsideSocket = NonNullable<SMTPTransportOptions['connection']>;

/** Where mail is handed in. `tls` from the first byte on, `starttls` or not at all, or `off`. */
export interface MailServer {
  host: string;
  port: number;
  security: 'tls' | 'starttls' | 'off';
  /** Null: it asks for none. */
  login: { user: string; password: string } | null;
  /** An address, or `Name <address>`. */
  from: string;
}

/** A line of the system's log; the caller adds whose it is. */
export interface LogLine {
  level: 'error' | 'warn';
  text: string;
  fields: Readonly<Record<string, unknown>>;
}

/**
 * All a channel may touch of the world. Each face is guarded, bounded in time and size, and bound to one tenant by the caller.
 * A failed call rejects with an error whose `code` says how (`timeout`, `blocked_address` …); its message is never used.
 */
export interface Outside {
  request: (call: OutboundCall, signal: AbortSignal) => Promise<OutboundAnswer>;
  /** Fetch-shaped, for libraries. */
  fetch: typeof globalThis.fetch;
  /** For what is not HTTP. The channel ends the socket. */
  connect: (to: { host: string; port: number }, signal: AbortSignal) => Promise<OutsideSocket>;
  /** The installation's own, with a way to it that leads wherever the operator said; null: it has none. */
  mailServer: (MailServer & { connect: (signal: AbortSignal) => Promise<OutsideSocket> }) | null;
  /** False: lines of that level are not written. */
  log: (line: LogLine) => boolean;
  /** What this channel calls its first message about this alert, to be found again by the next; null: there is no alert. */
  thread: { get: () => Promise<string | null>; put: (thread: string) => Promise<void> } | null;
  putInbox: (message: InboxMessage) => Promise<void>;
  signal: AbortSignal;
}
