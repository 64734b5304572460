import { AppError, invalid } from '@tocsin/services';
import type { FastifyInstance } from 'fastify';
import { addBodyParser, jsonParserOf } from './parse-json.ts';

/** The events of a request as parsed, unchecked. */
export interface EventBody {
  items: readonly unknown[];
  /** Indices of NDJSON lines that are no JSON; their item is undefined. */
  notJson: ReadonlySet<number>;
}

const NONE: ReadonlySet<number> = new Set();

/** Reads `{"events": […]}` and NDJSON. Lean, because it bounds what a core can take in: events themselves are checked by the store. */
export function readEventBodies(app: FastifyInstance, atMost: number): void {
  const parseJson = jsonParserOf(app);
  app.removeAllContentTypeParsers();
  addBodyParser(app, 'application/json', (text, request) => eventsOfJson(parseJson(text, request), atMost));
  addBodyParser(app, 'application/x-ndjson', (text, request) => eventsOfLines(text, (line) => parseJson(line, request), atMost));
}

function eventsOfJson(body: unknown, atMost: number): EventBody {
  if (typeof body !== 'object' || body === null || Array.isArray(body)) {
    throw invalid([{ pointer: '', code: 'invalid_type', message: 'The body must be an object {"events": [...]}.' }]);
  }
  const unknown = Object.keys(body).filter((name) => name !== 'events');
  if (unknown.length > 0) {
    const message = 'The body holds `events` and nothing else.';
    throw invalid(unknown.slice(0, 10).map((name) => ({ pointer: `/${name.slice(0, 100)}`, code: 'unknown_field', message })));
  }
  const items = (body as { events?: unknown }).events;
  if (!Array.isArray(items)) throw invalid([{ pointer: '/events', code: 'invalid_type', message: '`events` must be a list.' }]);
  if (items.length > atMost) throw tooMany(atMost, items.length);
  return { items, notJson: NONE };
}

/** Stops reading at the first line too many: what comes after it is not looked at. */
function eventsOfLines(text: string, parseLine: (line: string) => unknown, atMost: number): EventBody {
  const items: unknown[] = [];
  const notJson = new Set<number>();
  for (let at = 0; at < text.length;) {
    const end = text.indexOf('\n', at);
    const line = text.slice(at, end === -1 ? text.length : end);
    at = end === -1 ? text.length : end + 1;
    if (line.trim() === '') continue;
    if (items.length === atMost) throw tooMany(atMost, 'more');
    try {
      items.push(parseLine(line));
    } catch {
      notJson.add(items.length);
      items.push(undefined);
    }
  }
  return { items, notJson };
}

const tooMany = (atMost: number, count: number | 'more'): AppError =>
  new AppError('too_large', `A request takes at most ${atMost} events; this one has ${count}.`);
