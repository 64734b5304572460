import { errorDefinition, type ErrorCode, type ProblemIssue } from '@tocsin/contracts';

interface AppErrorOptions {
  /** Faults of the request, place by place. */
  issues?: readonly ProblemIssue[];
  /** For 503 and 409: when asking again makes sense. */
  retryAfterMs?: number;
  /** Only logged. */
  cause?: unknown;
}

/** A refusal with a code of the registry. `public` may reach whoever asked; everything else is for the log. */
export class AppError extends Error {
  readonly code: ErrorCode;
  readonly public: string;
  readonly issues: readonly ProblemIssue[];
  readonly retryAfterMs: number | null;

  constructor(code: ErrorCode, detail: string, { issues = [], retryAfterMs, cause }: AppErrorOptions = {}) {
    super(detail, { cause });
    this.name = 'AppError';
    this.code = code;
    this.public = detail;
    this.issues = issues;
    this.retryAfterMs = retryAfterMs ?? null;
  }

  get status(): number {
    return errorDefinition(this.code).status;
  }
}

export const notFound = (what: string): AppError => new AppError('not_found', `There is no such ${what}.`);

/** Faults past these are neither described nor counted. */
export const ISSUES_SHOWN = 100;
const POINTER_SHOWN = 300;
const MESSAGE_SHOWN = 500;

/** A 422 whose detail counts the faults and whose `errors` name them, up to a hundred. What was sent comes back in them, so they are cut. */
export function invalid(issues: readonly ProblemIssue[]): AppError {
  const [first] = issues;
  const detail =
    issues.length === 1 && first !== undefined
      ? first.message.slice(0, MESSAGE_SHOWN)
      : `The request has ${issues.length > ISSUES_SHOWN ? `more than ${ISSUES_SHOWN}` : issues.length} faults.`;
  const shown = issues.slice(0, ISSUES_SHOWN).map(({ pointer, code, message }) => ({
    pointer: pointer.slice(0, POINTER_SHOWN).toWellFormed(),
    code,
    message: message.slice(0, MESSAGE_SHOWN).toWellFormed(),
  }));
  return new AppError('invalid', detail, { issues: shown });
}
