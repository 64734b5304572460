import type { FastifyReply } from 'fastify';

/** Aborts when the caller goes away before being answered. Fastify's own `request.signal` aborts as soon as the body has been read. */
export function hungUp({ raw }: FastifyReply): AbortSignal {
  const gone = new AbortController();
  raw.once('close', () => {
    if (!raw.writableFinished) gone.abort();
  });
  return gone.signal;
}
