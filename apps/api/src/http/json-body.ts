import { AppError, invalid, pointerOf } from '@tocsin/services';
import type { FastifyInstance } from 'fastify';
import { addBodyParser, jsonParserOf } from './parse-json.ts';

const DEPTH_MAX = 32;

type Path = readonly (string | number)[];

/**
 * Reads `application/json` and nothing else. 400: not UTF-8, not JSON, prototype poisoning, nested too deep. 422: a number or text that
 * could not be stored as it is.
 */
export function readJsonBodies(app: FastifyInstance): void {
  const parseJson = jsonParserOf(app);
  app.removeAllContentTypeParsers();
  addBodyParser(app, 'application/json', (text, request) => {
    const value = parseJson(text, request);
    refuseUnstorable(value, []);
    return value;
  });
}

function refuseUnstorable(value: unknown, path: Path): void {
  if (path.length > DEPTH_MAX) throw new AppError('bad_json', `The body is nested more than ${DEPTH_MAX} deep.`);
  if (typeof value === 'string') refuseBadText(value, path);
  if (typeof value === 'number' && !Number.isFinite(value)) {
    throw invalid([{ pointer: pointerOf(path), code: 'not_finite', message: 'The number is too large.' }]);
  }
  if (typeof value !== 'object' || value === null) return;
  for (const [key, item] of Object.entries(value)) {
    refuseBadText(key, path);
    refuseUnstorable(item, [...path, key]);
  }
}

function refuseBadText(text: string, path: Path): void {
  if (text.isWellFormed() && !text.includes('\0')) return;
  throw invalid([{ pointer: pointerOf(path), code: 'bad_text', message: 'The text holds a NUL or half a surrogate pair.' }]);
}
