import { AppError } from './app-error.ts';

export const etagOf = (version: number): string => `"${version}"`;

/** Compares an `If-Match` header with what there is. Throws a 412. Undefined and `*` match anything. */
export function requireVersion(ifMatch: string | undefined, version: number): void {
  if (ifMatch === undefined || ifMatch.trim() === '*') return;
  const wanted = ifMatch.split(',').map((tag) => tag.trim());
  if (!wanted.includes(etagOf(version))) {
    throw new AppError('version_mismatch', `The resource has version ${etagOf(version)} by now.`);
  }
}

export const staleWrite = (): AppError =>
  new AppError('changed_meanwhile', 'It was changed while this request was being worked on.', { retryAfterMs: 1_000 });
