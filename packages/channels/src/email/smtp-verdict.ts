import { excerpt, verdictOfFailure, type Verdict } from '../verdict.ts';

/** What the library's error says; its words carry addresses and are never used. */
interface SmtpError {
  code?: unknown;
  /** The system's, where the library gave its own. */
  originalCode?: unknown;
  responseCode?: unknown;
  response?: unknown;
}

/** The library's own codes, as those of the outbound door. Every other may pass. */
const CODES: Record<string, string> = {
  EREQUIRETLS: 'tls',
  ENOAUTH: 'smtp_auth',
  EAUTH: 'smtp_auth',
  EENVELOPE: 'invalid_request',
  EMAXRECIPIENTS: 'invalid_request',
  EFILEACCESS: 'invalid_request',
  EURLACCESS: 'invalid_request',
  ETIMEDOUT: 'timeout',
  EPROTOCOL: 'bad_response',
  EDNS: 'dns',
};

const isTlsCode = (code: unknown): boolean =>
  typeof code === 'string' && /^(ERR_TLS_|ERR_SSL_|CERT_|DEPTH_ZERO_|SELF_SIGNED_|UNABLE_TO_|HOSTNAME_MISMATCH)/.test(code);

/**
 * What the failure of a mail means (RFC 5321 §4.2.1): a reply 4yz may pass, 5yz does not. A connection that broke before the server's last reply
 * leaves open whether it has the mail; it goes again under the same Message-ID.
 */
export function verdictOfSmtpFailure(error: unknown, secrets: readonly string[], isGivenUp: boolean): Verdict {
  const { code, originalCode, responseCode, response } = (typeof error === 'object' && error !== null ? error : {}) as SmtpError;
  const isPermanent = typeof responseCode !== 'number' || responseCode >= 500;
  if ((isTlsCode(originalCode) || isTlsCode(code) || code === 'ETLS') && isPermanent) return verdictOfFailure({ code: 'tls' });
  if (typeof responseCode === 'number' && responseCode >= 400 && responseCode < 600) {
    const answered = { statusCode: responseCode, responseExcerpt: typeof response === 'string' ? excerpt(response, secrets) : null };
    const reason = `smtp_${responseCode}`;
    return responseCode < 500
      ? { outcome: 'retry', reason, retryAfterMs: null, ...answered }
      : { outcome: 'rejected', reason, disable: false, ...answered };
  }
  if (code === 'EABORT') return verdictOfFailure({ code: isGivenUp ? 'aborted' : 'timeout' });
  const known = typeof code === 'string' ? CODES[code] : undefined;
  if (known === 'smtp_auth') return { outcome: 'rejected', reason: known, disable: false, statusCode: null, responseExcerpt: null };
  return verdictOfFailure(known === undefined ? error : { code: known });
}
