import { AppError } from '@tocsin/services';
import type { FastifyInstance } from 'fastify';

/** Refuses bodies that say they are compressed, after the caller is known and before a byte is read: what is not inflated is not guessed at. */
export function refuseEncodedBodies(app: FastifyInstance): void {
  app.addHook('preParsing', async ({ headers }) => {
    const encoding = headers['content-encoding'] ?? 'identity';
    if (encoding.toLowerCase() === 'identity') return;
    throw new AppError('unsupported_media_type', 'The body is encoded; send it as it is, without Content-Encoding.');
  });
}
