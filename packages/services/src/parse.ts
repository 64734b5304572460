import type { ProblemIssue } from '@tocsin/contracts';
import { didYouMean } from '@tocsin/domain';
import { z } from 'zod';
import { invalid, ISSUES_SHOWN, notFound } from './app-error.ts';

/**
 * Checks a body (pointers `/a/b`) or a query (pointers `?a`). Throws a 422 that names every fault; an unknown field is one.
 * `within` is where in the body the input sits.
 */
export function parse<Schema extends z.ZodType>(
  schema: Schema,
  input: unknown,
  place: 'body' | 'query' = 'body',
  within: readonly string[] = [],
): z.output<Schema> {
  const parsed = schema.safeParse(input, { reportInput: true });
  if (parsed.success) return parsed.data;
  throw invalid(parsed.error.issues.slice(0, ISSUES_SHOWN + 1).flatMap((issue) => problemIssues(issue, schema, place, within)));
}

const Id = z.uuid();

/** An id from a path. What cannot be an id does not exist: throws a 404. */
export function idFrom(text: string, what: string): string {
  if (!Id.safeParse(text).success) throw notFound(what);
  return text.toLowerCase();
}

/** A key from a path, fit to be looked for: what cannot be a key is found nowhere. */
export const keyFrom = (text: string): string => text.toWellFormed().replaceAll('\0', '�');

function problemIssues(issue: z.core.$ZodIssue, schema: z.ZodType, place: 'body' | 'query', within: readonly string[]): ProblemIssue[] {
  if (issue.code === 'unrecognized_keys') {
    const known = fieldsAt(schema, issue.path);
    return issue.keys.slice(0, ISSUES_SHOWN + 1).map((key) => ({
      pointer: pointerOf([...within, ...issue.path, key], place),
      code: 'unknown_field',
      message: `Unknown ${place === 'body' ? 'field' : 'parameter'} '${excerpt(key)}'.${didYouMean(key, known)}`,
    }));
  }
  const missing = issue.input === undefined && issue.code !== 'custom';
  const hint = issue.code === 'invalid_value' && typeof issue.input === 'string' ? didYouMean(issue.input, issue.values.map(String)) : '';
  return [
    {
      pointer: pointerOf([...within, ...issue.path], place),
      code: missing ? 'required' : codeOf(issue),
      message: `${missing ? 'is missing' : issue.message}${hint === '' ? '' : `.${hint}`}`,
    },
  ];
}

const codeOf = (issue: z.core.$ZodIssue): string =>
  issue.code === 'custom' && typeof issue.params?.['code'] === 'string' ? issue.params['code'] : issue.code;

/** RFC 6901; a query parameter is `?name`. */
export function pointerOf(path: readonly PropertyKey[], place: 'body' | 'query' = 'body'): string {
  if (place === 'query') return `?${excerpt(String(path[0] ?? ''))}`;
  return path.map((key) => `/${excerpt(String(key)).replaceAll('~', '~0').replaceAll('/', '~1')}`).join('');
}

// What was sent comes back in messages; a megabyte of it must not, nor what would forge a line of a terminal.
const excerpt = (text: string): string =>
  text
    .slice(0, 100)
    .toWellFormed()
    .replace(/[\u0000-\u001f\u007f-\u009f]/g, '�');

function fieldsAt(schema: z.ZodType, path: readonly PropertyKey[]): string[] {
  let at: unknown = schema;
  for (const key of path) at = typeof key === 'string' ? shapeOf(at)?.[key] : undefined;
  return Object.keys(shapeOf(at) ?? {});
}

function shapeOf(schema: unknown): Record<string, unknown> | null {
  if (typeof schema !== 'object' || schema === null || !('shape' in schema)) return null;
  return schema.shape as Record<string, unknown>;
}
