/** How long a connection may take for what, in milliseconds. */
export interface WireLimits {
  /** From a request's first byte to its last. */
  requestMs: number;
  /** Without a byte either way: whoever does not read an answer. Longer than the slowest verb works. */
  silenceMs: number;
  /** Between an answer and the next request. Above the usual 60 s of a proxy in front, which must be the one that closes. */
  keepAliveMs: number;
  /** How often late requests are looked for. */
  checkEveryMs: number;
}

export const WIRE_LIMITS: WireLimits = { requestMs: 60_000, silenceMs: 90_000, keepAliveMs: 72_000, checkEveryMs: 5_000 };
