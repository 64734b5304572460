import { hasControlCharacters } from '@tocsin/domain';

/** What is wrong with the name of an event, a dimension or a measure; null when nothing is. */
export function nameProblem(name: string, maxLength: number): string | null {
  if (name === '') return 'is empty';
  if (name.length > maxLength) return `is longer than ${maxLength} characters`;
  if (hasControlCharacters(name)) return 'contains a control character';
  if (!name.isWellFormed()) return 'is not well-formed Unicode';
  return name === '__proto__' ? 'is not allowed' : null;
}

/** A text of the request as it may stand in a message: short and on one line. */
export function quoted(text: string): string {
  return JSON.stringify(text.length > 60 ? `${text.slice(0, 60)}…` : text);
}
