export type OutboundErrorCode =
  /** The URL itself is refused: scheme, port, user name, or not a URL. */
  | 'url_not_allowed'
  /** The name or address leads where we do not send. */
  | 'blocked_address'
  /** Headers or method that no request may have. A bug here or a setting that should have been refused. */
  | 'invalid_request'
  | 'dns'
  | 'connect'
  | 'tls'
  | 'timeout'
  /** Answered, but not in HTTP. */
  | 'bad_response'
  /** Response headers beyond 16 KiB. A body too long is cut instead. */
  | 'too_large'
  | 'redirect'
  /** The caller gave up. */
  | 'aborted';

/** Why nothing usable came back. Fit to be shown to a tenant: it never contains the URL, the host or an address. */
export class OutboundError extends Error {
  override name = 'OutboundError';
  readonly code: OutboundErrorCode;
  /** The status of an answer that was refused for what it is (redirect), else null. */
  readonly status: number | null;
  constructor(code: OutboundErrorCode, message: string, status: number | null = null) {
    super(message);
    this.code = code;
    this.status = status;
  }
}

const TLS_CODE = /^(ERR_TLS_|ERR_SSL_|CERT_|DEPTH_ZERO_|SELF_SIGNED_|UNABLE_TO_|HOSTNAME_MISMATCH|EPROTO)/;

/** Whatever a socket, TLS or the HTTP parser threw, as one of ours; only system codes survive, never their words. */
export function toOutboundError(error: unknown): OutboundError {
  if (error instanceof OutboundError) return error;
  if (error instanceof AggregateError && error.errors.length > 0) return toOutboundError(error.errors[0]);
  const code = error instanceof Error && 'code' in error && typeof error.code === 'string' ? error.code : '';
  if (TLS_CODE.test(code)) return new OutboundError('tls', `the certificate or TLS handshake was refused (${code})`);
  switch (code) {
    case 'UND_ERR_CONNECT_TIMEOUT':
    case 'ETIMEDOUT':
      return new OutboundError('timeout', 'no connection in time');
    case 'UND_ERR_HEADERS_TIMEOUT':
      return new OutboundError('timeout', 'no answer in time');
    case 'UND_ERR_BODY_TIMEOUT':
      return new OutboundError('timeout', 'the answer did not end in time');
    case 'UND_ERR_HEADERS_OVERFLOW':
      return new OutboundError('too_large', 'the answer has too many or too long headers');
    case 'UND_ERR_INVALID_ARG':
    case 'UND_ERR_REQ_CONTENT_LENGTH_MISMATCH':
    case 'ERR_INVALID_CHAR':
      return new OutboundError('invalid_request', 'the request has a header or method that cannot be sent');
    case 'ENOTFOUND':
    case 'EAI_AGAIN':
    case 'EAI_NODATA':
    case 'EAI_NONAME':
      return new OutboundError('dns', `the name cannot be resolved (${code})`);
  }
  if (error instanceof Error && (error.name === 'HTTPParserError' || code === 'UND_ERR_RES_CONTENT_LENGTH_MISMATCH'))
    return new OutboundError('bad_response', 'the answer is not valid HTTP');
  if (code === 'UND_ERR_SOCKET') return new OutboundError('bad_response', 'the connection was closed before the answer was complete');
  return new OutboundError('connect', code === '' ? 'the connection failed' : `the connection failed (${code})`);
}
