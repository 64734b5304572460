import { IdempotencyConflict, Overloaded } from '@tocsin/events';
import { AppError, listEvents, listMetrics, queryMetrics, type Services } from '@tocsin/services';
import type { FastifyInstance } from 'fastify';
import { readEventBodies, type EventBody } from '../http/event-body.ts';
import { hungUp } from '../http/hung-up.ts';
import { bodyOf, idempotencyKeyOf, type VerbRoute } from '../http/verb-route.ts';

export function metricRoutes(app: FastifyInstance, route: VerbRoute): void {
  app.get('/events', route(listEvents, { input: (request) => ({ query: request.query }) }));
  app.get('/metrics', route(listMetrics, { input: () => undefined }));
  app.post('/metrics/query', route(queryMetrics, { input: (request, reply) => ({ body: bodyOf(request), signal: hungUp(reply) }) }));
}

/** `POST /events`, in a scope of its own: its bodies are read by their own parsers. The store checks each event and groups commits. */
export function ingestRoute(app: FastifyInstance, { events }: Pick<Services, 'events'>, eventsPerRequest: number): void {
  readEventBodies(app, eventsPerRequest);
  app.post('/events', { config: { permission: 'events:write' } }, async (request, reply) => {
    const { caller } = request;
    if (caller?.tenantId == null) throw new Error('events without a tenant');
    const { items, notJson } = bodyOf(request) as EventBody;
    try {
      const { accepted, rejected, replayed } = await events.ingest(caller.tenantId, items, {
        idempotencyKey: idempotencyKeyOf(request) ?? undefined,
      });
      if (replayed) reply.header('idempotent-replayed', 'true');
      const told =
        notJson.size === 0
          ? rejected
          : rejected.map((each) => (notJson.has(each.index) ? { ...each, message: 'the line is not JSON' } : each));
      return await reply.code(202).send({ accepted, rejected: told });
    } catch (error) {
      if (error instanceof Overloaded) {
        throw new AppError('unavailable', 'Events cannot be stored just now.', { retryAfterMs: error.retryAfterMs, cause: error });
      }
      if (error instanceof IdempotencyConflict)
        throw new AppError('idempotency_mismatch', 'This Idempotency-Key was used with other events.');
      throw error;
    }
  });
}
