import { AppError, invalid, pointerOf } from '@tocsin/services';
import type { FastifyInstance } from 'fastify';
import { addBodyParser, jsonParserOf } from './parse-json.ts';

const DEPTH_MAX = 32;
/** Far above what any request needs; what is done for each value of a body is done so often at most. */
const VALUES_MAX = 100_000;

interface Fault {
  /** Grows from its end to its beginning while the walk returns. */
  path: (string | number)[];
  code: string;
  message: string;
}

/**
 * Reads `application/json` and nothing else. 400: not UTF-8, not JSON, prototype poisoning, nested too deep. 413: more values than any
 * request needs. 422: a number or text that could not be stored as it is.
 */
export function readJsonBodies(app: FastifyInstance): void {
  const parseJson = jsonParserOf(app);
  app.removeAllContentTypeParsers();
  addBodyParser(app, 'application/json', (text, request) => {
    const value = parseJson(text, request);
    refuseUnstorable(value);
    return value;
  });
}

function refuseUnstorable(body: unknown): void {
  let seen = 0;

  const faultIn = (value: unknown, depth: number): Fault | null => {
    seen += 1;
    if (seen > VALUES_MAX) throw new AppError('too_large', `The body holds more than ${VALUES_MAX} values.`);
    if (depth > DEPTH_MAX) throw new AppError('bad_json', `The body is nested more than ${DEPTH_MAX} deep.`);
    if (typeof value === 'string') return faultOfText(value);
    if (typeof value === 'number')
      return Number.isFinite(value) ? null : { path: [], code: 'not_finite', message: 'The number is too large.' };
    if (Array.isArray(value)) return faultInList(value, depth + 1);
    return typeof value === 'object' && value !== null ? faultInFields(value as Record<string, unknown>, depth + 1) : null;
  };
  const faultInList = (list: readonly unknown[], depth: number): Fault | null => {
    for (let index = 0; index < list.length; index += 1) {
      const fault = faultIn(list[index], depth);
      if (fault !== null) return within(fault, index);
    }
    return null;
  };
  const faultInFields = (fields: Record<string, unknown>, depth: number): Fault | null => {
    for (const name in fields) {
      const misnamed = faultOfText(name);
      if (misnamed !== null) return misnamed;
      const fault = faultIn(fields[name], depth);
      if (fault !== null) return within(fault, name);
    }
    return null;
  };

  const fault = faultIn(body, 0);
  if (fault !== null) throw invalid([{ pointer: pointerOf(fault.path), code: fault.code, message: fault.message }]);
}

function within(fault: Fault, step: string | number): Fault {
  fault.path.unshift(step);
  return fault;
}

const faultOfText = (text: string): Fault | null =>
  text.isWellFormed() && !text.includes('\0')
    ? null
    : { path: [], code: 'bad_text', message: 'The text holds a NUL or half a surrogate pair.' };
