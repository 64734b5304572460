import { AppError } from '@tocsin/services';
import type { FastifyInstance, FastifyRequest } from 'fastify';
import { isUtf8 } from 'node:buffer';

export type ParseJson = (text: string, request: FastifyRequest) => unknown;

/** JSON without prototype poisoning, by the framework's own parser. What it gives throws a 400. */
export function jsonParserOf(app: FastifyInstance): ParseJson {
  const parse = app.getDefaultJsonParser('error', 'error');
  return (text, request) => {
    let result: unknown;
    // It calls back before it returns.
    void parse(request, text, (error, value: unknown) => {
      if (error) throw new AppError('bad_json', 'The body is not JSON, or holds a key that is not allowed.', { cause: error });
      result = value;
    });
    return result;
  };
}

/** Throws a 400 unless the bytes are UTF-8. */
function textOf(body: Buffer): string {
  if (!isUtf8(body)) throw new AppError('bad_json', 'The body is not UTF-8.');
  return body.toString('utf8');
}

/** A body parser that reads the whole body at once. An empty body is `undefined`, so that actions may be posted without one. */
export function addBodyParser(app: FastifyInstance, type: string, read: ParseJson): void {
  app.addContentTypeParser(type, { parseAs: 'buffer' }, (request, body: Buffer, done) => {
    try {
      done(null, body.length === 0 ? undefined : read(textOf(body), request));
    } catch (error) {
      done(error as Error);
    }
  });
}
