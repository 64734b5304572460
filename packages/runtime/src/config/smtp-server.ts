import { ConfigError, type ConfigProblem } from './load-config.ts';

/** The mail server of an installation. */
export interface SmtpServer {
  host: string;
  port: number;
  /** `tls` from the first byte on, `starttls` or not at all, or `off`. */
  security: 'tls' | 'starttls' | 'off';
  /** Null: it asks for none. */
  login: { user: string; password: string } | null;
  /** An address, or `Name <address>`. */
  from: string;
}

export interface SmtpVariables {
  smtpUrl?: string | undefined;
  smtpHost?: string | undefined;
  smtpPort?: number | undefined;
  smtpUser?: string | undefined;
  smtpPassword?: string | undefined;
  smtpFrom?: string | undefined;
  smtpSecurity?: SmtpServer['security'] | undefined;
}

const TLS_PORT = 465;
const SUBMISSION_PORT = 587;

/** What `TOCSIN_SMTP_…` say together; null: nothing. Throws ConfigError where they do not fit together. */
export function smtpServerOf(given: SmtpVariables): SmtpServer | null {
  const { smtpUrl, smtpFrom, smtpHost, smtpPort, smtpUser, smtpPassword, smtpSecurity } = given;
  if (Object.values(given).every((value) => value === undefined)) return null;
  const problems: ConfigProblem[] = [];
  const parts = { TOCSIN_SMTP_HOST: smtpHost, TOCSIN_SMTP_PORT: smtpPort, TOCSIN_SMTP_USER: smtpUser, TOCSIN_SMTP_PASSWORD: smtpPassword };
  if (smtpUrl !== undefined) {
    for (const [variable, value] of Object.entries(parts))
      if (value !== undefined) problems.push({ variable, problem: 'and TOCSIN_SMTP_URL are both set' });
  } else if (smtpHost === undefined)
    problems.push({ variable: 'TOCSIN_SMTP_HOST', problem: 'is missing: the other TOCSIN_SMTP_… need it' });
  if (smtpFrom === undefined) problems.push({ variable: 'TOCSIN_SMTP_FROM', problem: 'is missing: mail needs a sender' });
  const url = smtpUrl === undefined ? null : new URL(smtpUrl);
  const user = url === null ? (smtpUser ?? '') : decoded(url.username);
  const password = url === null ? (smtpPassword ?? '') : decoded(url.password);
  const host = url === null ? smtpHost : url.hostname.replace(/^\[|\]$/g, '');
  if ((user === '') !== (password === ''))
    problems.push({
      variable: url === null ? 'TOCSIN_SMTP_PASSWORD' : 'TOCSIN_SMTP_URL',
      problem: 'a user and a password belong together',
    });
  if (host === '') problems.push({ variable: 'TOCSIN_SMTP_URL', problem: 'names no host' });
  if (problems.length > 0 || smtpFrom === undefined || host === undefined) throw new ConfigError(problems);

  const wanted = url === null ? smtpPort : url.port === '' ? undefined : Number(url.port);
  const security = smtpSecurity ?? (url?.protocol === 'smtps:' || wanted === TLS_PORT ? 'tls' : 'starttls');
  return {
    host,
    port: wanted ?? (security === 'tls' ? TLS_PORT : SUBMISSION_PORT),
    security,
    login: user === '' ? null : { user, password },
    from: smtpFrom,
  };
}

/** A stray `%` is what it says. */
function decoded(text: string): string {
  try {
    return decodeURIComponent(text);
  } catch {
    return text;
  }
}
