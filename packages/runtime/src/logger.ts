import { type DestinationStream, type Logger, pino, stdSerializers, stdTimeFunctions } from 'pino';

export type { Logger };
export type LogLevel = 'trace' | 'debug' | 'info' | 'warn' | 'error' | 'fatal' | 'silent';

const SECRET_FIELDS = ['url', 'headers', 'secret', 'secrets', 'authorization', 'cookie', 'password', 'apiKey', 'token', 'connectionString'];
const URL_WITH_HOST = /\b(?:https?|wss?|ftp|smtps?|rediss?|postgres(?:ql)?):\/\/[^\s"'<>]+/gi;

/** Words that may come from anywhere, made fit for a log: a channel's URL is a secret, wherever it turns up. */
export const withoutUrls = (text: string): string => text.replace(URL_WITH_HOST, '[url]');

/**
 * One JSON object a line. Fields that carry secrets are cut at the top and two levels down; of an error only its name,
 * message, code, stack and causes are written, because drivers hang rows and requests on theirs.
 */
export function createLogger(name: string, level: LogLevel = 'info', destination?: DestinationStream): Logger {
  return pino(
    {
      name,
      level,
      timestamp: stdTimeFunctions.isoTime,
      formatters: { level: (label) => ({ level: label }) },
      redact: { paths: SECRET_FIELDS.flatMap((field) => [field, `*.${field}`, `*.*.${field}`]), censor: '[redacted]' },
      serializers: { err: describeError, error: describeError, req: stdSerializers.req, res: stdSerializers.res },
    },
    destination ?? pino.destination({ sync: true }),
  );
}

interface DescribedError {
  type: string;
  message: string;
  code?: string;
  stack?: string;
  cause?: DescribedError;
  errors?: DescribedError[];
}

/** An error as the log shows it. Causes are followed five deep. */
export function describeError(error: unknown, depth = 0): DescribedError {
  if (!(error instanceof Error)) return { type: typeof error, message: withoutUrls(String(error)) };
  const code = 'code' in error && typeof error.code === 'string' ? error.code : undefined;
  const goDeeper = depth < 5;
  const message = withoutParameters(error);
  return {
    type: error.name,
    message: withoutUrls(message),
    ...(code === undefined ? {} : { code }),
    ...(error.stack === undefined ? {} : { stack: withoutUrls(error.stack.replace(error.message, () => message)) }),
    ...(error.cause === undefined || !goDeeper ? {} : { cause: describeError(error.cause, depth + 1) }),
    ...(error instanceof AggregateError && goDeeper
      ? { errors: error.errors.slice(0, 5).map((part) => describeError(part, depth + 1)) }
      : {}),
  };
}

/** drizzle puts whatever a failed query was given, rows of tenants and all, into its error's message. */
const withoutParameters = (error: Error): string =>
  'query' in error && 'params' in error && typeof error.query === 'string' ? `Failed query: ${error.query}` : error.message;
