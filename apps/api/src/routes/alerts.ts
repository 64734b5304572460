import { getAlert, getDelivery, listAlerts, listDeliveries, listInbox, replayDeliveries, retryDelivery } from '@tocsin/services';
import type { FastifyInstance } from 'fastify';
import { bodyOf, noBodyOf, paramOf, type VerbRoute } from '../http/verb-route.ts';

/** What happened and who was told. */
export function alertRoutes(app: FastifyInstance, route: VerbRoute): void {
  app.get('/alerts', route(listAlerts, { input: (request) => ({ query: request.query }) }));
  app.get('/alerts/:id', route(getAlert, { input: (request) => ({ id: paramOf(request, 'id') }) }));
  app.get('/deliveries', route(listDeliveries, { input: (request) => ({ query: request.query }) }));
  app.get('/deliveries/:id', route(getDelivery, { input: (request) => ({ id: paramOf(request, 'id') }) }));
  app.post(
    '/deliveries/:id/retry',
    route(retryDelivery, { status: 202, input: (request) => ({ id: paramOf(request, 'id'), body: noBodyOf(request) }) }),
  );
  app.post('/deliveries/replay', route(replayDeliveries, { status: 202, input: (request) => ({ body: bodyOf(request) }) }));
  app.get('/inbox', route(listInbox, { input: (request) => ({ query: request.query }) }));
}
