import { CannotStart } from '@tocsin/runtime';

/** Whether what PostgreSQL or its tools wrote names a full disk. */
export const saysDiskIsFull = (text: string): boolean => text.includes('No space left on device');

/** What whoever starts it can mend, as `CannotStart` says it; any other error as it is. */
export function inWords(error: unknown, dataDir: string): unknown {
  const causes = [...causesOf(error)];
  if (causes.some(isDiskFull)) {
    return new CannotStart(
      `The disk that holds ${dataDir} is full. Free some space, 200 MB or more, and start again: what was accepted is there.`,
      { cause: error },
    );
  }
  const made = causes.flatMap(({ message }) => /initialized by PostgreSQL version (\S+), .* this version (\d+)/.exec(message) ?? []);
  if (made.length > 0) {
    return new CannotStart(
      `The database in ${dataDir} is one of PostgreSQL ${made[1]}, and this Tocsin brings ${made[2]}: start it with the Tocsin that made it, ` +
        `or set TOCSIN_DATA_DIR to another folder.`,
      { cause: error },
    );
  }
  return error;
}

function* causesOf(error: unknown): Generator<Error> {
  for (let cause = error; cause instanceof Error; cause = cause.cause) yield cause;
}

/** This process's own writing, PostgreSQL's answer, or its log; and SQLite, whose locks are files. */
const isDiskFull = (error: Error): boolean =>
  ('code' in error && ['ENOSPC', 'EDQUOT', '53100'].includes(String(error.code))) ||
  saysDiskIsFull(error.message) ||
  error.message.includes('database or disk is full');
