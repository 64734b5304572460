import { type Complaints, kindOf, quoted } from './complaints.ts';
import { hasControlCharacters } from './control-characters.ts';
import { formatDuration, parseDuration } from './duration.ts';
import type { Path } from './issue.ts';
import { didYouMean } from './nearest-name.ts';
import { RULE_BOUNDS } from './rule-bounds.ts';

/** One line of text, trimmed. Null, here and below: complained about. */
export function readLine(value: unknown, path: Path, max: number, complaints: Complaints): string | null {
  if (typeof value !== 'string') return complaints.add(path, 'invalid_type', `must be text, not ${kindOf(value)}`);
  const text = value.trim();
  if (text === '') return complaints.add(path, 'empty', 'must not be empty');
  if (text.length > max) return complaints.add(path, 'out_of_range', `must have at most ${max} characters`);
  return hasControlCharacters(text) ? complaints.add(path, 'invalid_value', 'must not contain control characters') : text;
}

/** The stable name of a rule, channel or metric definition. */
export function readKey(value: unknown, path: Path, complaints: Complaints): string | null {
  const key = readLine(value, path, RULE_BOUNDS.keyLength, complaints);
  if (key === null || /^[a-z0-9][a-z0-9._-]*$/.test(key)) return key;
  return complaints.add(path, 'invalid_value', "must be lower-case letters, digits, '.', '_' or '-', starting with a letter or digit");
}

/** The value of a dimension or label: text, or a number or boolean that becomes text. May be empty. */
export function readValue(value: unknown, path: Path, max: number, complaints: Complaints): string | null {
  if (typeof value === 'number' && !Number.isFinite(value)) return complaints.add(path, 'not_finite', 'must be a finite number');
  const text = typeof value === 'number' || typeof value === 'boolean' ? String(value) : value;
  if (typeof text !== 'string')
    return complaints.add(path, 'invalid_type', `must be text, a number or true or false, not ${kindOf(value)}`);
  if (text.length > max) return complaints.add(path, 'out_of_range', `must have at most ${max} characters`);
  return text.includes('\u0000') ? complaints.add(path, 'invalid_value', 'must not contain NUL') : text;
}

export function readNumber(value: unknown, path: Path, complaints: Complaints): number | null {
  if (typeof value !== 'number') return complaints.add(path, 'invalid_type', `must be a number, not ${kindOf(value)}`);
  return Number.isFinite(value) ? value : complaints.add(path, 'not_finite', 'must be a finite number, not NaN or Infinity');
}

export function readBoolean(value: unknown, path: Path, complaints: Complaints): boolean | null {
  return typeof value === 'boolean' ? value : complaints.add(path, 'invalid_type', `must be true or false, not ${kindOf(value)}`);
}

/** A duration within bounds, as it was written. */
export function readDuration(value: unknown, path: Path, minMs: number, maxMs: number, complaints: Complaints): string | null {
  if (typeof value !== 'string') return complaints.add(path, 'invalid_type', `must be a duration such as '5m', not ${kindOf(value)}`);
  const text = value.trim();
  const ms = parseDuration(text);
  if (ms === null) return complaints.add(path, 'invalid_value', `${quoted(value)} is not a duration; write '30s', '5m', '2h' or '7d'`);
  if (ms < minMs || ms > maxMs) {
    return complaints.add(path, 'out_of_range', `must be between ${formatDuration(minMs)} and ${formatDuration(maxMs)}`);
  }
  return text;
}

/** One of our words, or another system's word for it. */
export function readWord<Word extends string>(
  value: unknown,
  path: Path,
  known: readonly Word[],
  translate: (word: string) => Word | null,
  complaints: Complaints,
): Word | null {
  if (typeof value !== 'string') return complaints.add(path, 'invalid_type', `must be one of ${known.join(' ')}, not ${kindOf(value)}`);
  const word = translate(value);
  if (word !== null) return word;
  return complaints.add(
    path,
    'invalid_value',
    `Unknown word ${quoted(value)}; it must be one of ${known.join(' ')}.${didYouMean(value, known)}`,
  );
}

/** For words that have no other dialect. */
export const exactly =
  <Word extends string>(known: readonly Word[]) =>
  (word: string): Word | null =>
    known.find((candidate) => candidate === word.trim().toLowerCase()) ?? null;

export function readList(value: unknown, path: Path, max: number, complaints: Complaints): unknown[] | null {
  if (!Array.isArray(value)) return complaints.add(path, 'invalid_type', `must be a list, not ${kindOf(value)}`);
  return value.length > max ? complaints.add(path, 'too_many', `must have at most ${max} entries`) : value;
}
