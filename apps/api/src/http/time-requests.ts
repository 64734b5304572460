import type { Metrics } from '@tocsin/runtime';
import type { FastifyInstance } from 'fastify';

/** Counts and times every request by its route's pattern, never by its path, and sends its id along. */
export function timeRequests(app: FastifyInstance, metrics: Metrics): void {
  app.addHook('onRequest', (request, reply, done) => {
    reply.header('x-request-id', request.id);
    done();
  });
  app.addHook('onResponse', (request, reply, done) => {
    const labels = { method: request.method, route: request.routeOptions.url ?? 'unknown', status: String(reply.statusCode) };
    metrics.httpRequestSeconds.observe(labels, reply.elapsedTime / 1_000);
    request.log.debug({ ...labels, ms: Math.round(reply.elapsedTime) }, 'request');
    done();
  });
}
