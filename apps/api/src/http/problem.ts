import { ERRORS, errorDefinition, type ErrorCode, type Problem } from '@tocsin/contracts';
import { isRetryable, tookTooLong } from '@tocsin/db';
import { AppError } from '@tocsin/services';
import type { FastifyError, FastifyReply, FastifyRequest } from 'fastify';

const PROBLEM = 'application/problem+json; charset=utf-8';
const RETRY_AFTER_MS = 1_000;

/** The one place where an error becomes an answer. Only what an `AppError` calls public leaves; the rest is logged. */
export function answerError(error: unknown, request: FastifyRequest, reply: FastifyReply): FastifyReply {
  const refusal = hungUpWithin(error, request) ? new AppError('bad_request', 'The body was cut off.', { cause: error }) : toAppError(error);
  if (refusal.status >= 500) request.log.error({ err: error, code: refusal.code }, 'request failed');
  else request.log.debug({ code: refusal.code, detail: refusal.public }, 'request refused');
  if (refusal.retryAfterMs !== null) reply.header('retry-after', Math.max(1, Math.ceil(refusal.retryAfterMs / 1_000)));
  if (refusal.status === 401 && !reply.hasHeader('www-authenticate')) reply.header('www-authenticate', 'Bearer realm="tocsin"');
  return reply.code(refusal.status).type(PROBLEM).send(problemOf(refusal, request.id));
}

/** Nobody is left to read the answer; it is for the log and the metrics, to which a client's cut line is no outage. */
const hungUpWithin = (error: unknown, { raw }: FastifyRequest): boolean =>
  raw.destroyed && !raw.complete && error instanceof Error && 'code' in error && error.code === 'ECONNRESET';

export function problemOf({ code, public: detail, issues }: AppError, requestId: string): Problem {
  const { status, title } = errorDefinition(code);
  const problem = { type: `/errors/${code}`, title, status, detail, instance: requestId };
  return issues.length === 0 ? problem : { ...problem, errors: [...issues] };
}

export function toAppError(error: unknown): AppError {
  if (error instanceof AppError) return error;
  if (isRetryable(error)) {
    return new AppError('unavailable', 'The database is not available.', { retryAfterMs: RETRY_AFTER_MS, cause: error });
  }
  if (tookTooLong(error)) {
    return new AppError('unavailable', 'The database did not answer in time.', { retryAfterMs: RETRY_AFTER_MS, cause: error });
  }
  const code = frameworkCode(error);
  return code === null
    ? new AppError('internal', 'Something went wrong on our side.', { cause: error })
    : new AppError(code, ERRORS[code].hint, { cause: error });
}

/** What Fastify itself refuses: bodies too large, media types, broken URLs and lengths. */
function frameworkCode(error: unknown): ErrorCode | null {
  const status = error instanceof Error ? (error as FastifyError).statusCode : undefined;
  switch (status) {
    case 413:
      return 'too_large';
    case 415:
      return 'unsupported_media_type';
    default:
      return status !== undefined && status >= 400 && status < 500 ? 'bad_request' : null;
  }
}
