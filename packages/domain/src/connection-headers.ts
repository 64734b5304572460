/**
 * Request headers that are the connection's own business (RFC 9110 §7.6.1) or frame the message: who sets one changes where or how the whole is
 * read. The outbound door sends none that it is told, so a channel takes none. Lower case.
 */
export const CONNECTION_HEADERS: ReadonlySet<string> = new Set([
  'accept-encoding',
  'connection',
  'content-length',
  'cookie',
  'expect',
  'host',
  'keep-alive',
  'proxy-authenticate',
  'proxy-authorization',
  'proxy-connection',
  'te',
  'trailer',
  'transfer-encoding',
  'upgrade',
]);
