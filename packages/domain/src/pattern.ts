import { RE2JS } from 're2js';

/** Instructions of a compiled pattern: a handful for what people write. Past it the first match of a text would take tens of milliseconds. */
const PROGRAM_MAX = 500;
const OPENED_MAX = 1_000;
const opened = new Map<string, RE2JS>();

/**
 * Whether a whole text matches an RE2 pattern, in time that grows with the text alone. Without look-around and back-references, which RE2 does not have.
 * Throws a RangeError that says what is wrong with the pattern.
 */
export function matchesPattern(pattern: string, text: string): boolean {
  return open(pattern).testExact(text);
}

/** What is wrong with a pattern; null: nothing. */
export function faultOfPattern(pattern: string): string | null {
  try {
    open(pattern);
    return null;
  } catch (error) {
    if (error instanceof RangeError) return error.message;
    throw error;
  }
}

function open(pattern: string): RE2JS {
  const known = opened.get(pattern);
  if (known !== undefined) return known;
  const compiled = compile(pattern);
  if (compiled.programSize() > PROGRAM_MAX) throw new RangeError('repeats too much: shorten what is in braces');
  if (opened.size >= OPENED_MAX) opened.clear();
  opened.set(pattern, compiled);
  return compiled;
}

function compile(pattern: string): RE2JS {
  try {
    return RE2JS.compile(pattern);
  } catch (error) {
    const said = error instanceof Error ? error.message.replace(/^error parsing regexp: /, '') : 'it is not understood';
    throw new RangeError(said, { cause: error });
  }
}
