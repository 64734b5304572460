import {
  acknowledgeAlert,
  assignAlert,
  bulkAlerts,
  commentAlert,
  deleteAlert,
  getAlert,
  getAlertStats,
  getDelivery,
  listAlerts,
  listDeliveries,
  markNoise,
  replayDeliveries,
  reportMissed,
  resolveAlert,
  retryDelivery,
  unacknowledgeAlert,
  unassignAlert,
  unmarkNoise,
} from '@tocsin/services';
import type { FastifyInstance, FastifyRequest } from 'fastify';
import { bodyOf, bodyOrNothing, noBodyOf, paramOf, type VerbRoute } from '../http/verb-route.ts';

const byId = (request: FastifyRequest) => ({ id: paramOf(request, 'id') });
const byIdWithBody = (request: FastifyRequest) => ({ id: paramOf(request, 'id'), body: bodyOf(request) });
const byIdWithNote = (request: FastifyRequest) => ({ id: paramOf(request, 'id'), body: bodyOrNothing(request) });

/** What happened, what people do about it, and who was told. */
export function alertRoutes(app: FastifyInstance, route: VerbRoute): void {
  app.get('/alerts', route(listAlerts, { input: (request) => ({ query: request.query }) }));
  app.get('/alerts/stats', route(getAlertStats, { input: (request) => ({ query: request.query }) }));
  app.get('/alerts/:id', route(getAlert, { input: byId }));
  app.delete('/alerts/:id', route(deleteAlert, { input: byId }));
  app.post('/alerts/bulk', route(bulkAlerts, { input: (request) => ({ body: bodyOf(request) }) }));
  app.post('/alerts/missed', route(reportMissed, { status: 201, input: (request) => ({ body: bodyOf(request) }) }));
  app.post('/alerts/:id/acknowledge', route(acknowledgeAlert, { input: byIdWithNote }));
  app.post('/alerts/:id/unacknowledge', route(unacknowledgeAlert, { input: byIdWithNote }));
  app.post('/alerts/:id/resolve', route(resolveAlert, { input: byIdWithNote }));
  app.post('/alerts/:id/comments', route(commentAlert, { status: 201, input: byIdWithBody }));
  app.put('/alerts/:id/assignee', route(assignAlert, { input: byIdWithBody }));
  app.delete('/alerts/:id/assignee', route(unassignAlert, { input: byId }));
  app.put('/alerts/:id/noise', route(markNoise, { input: byIdWithNote }));
  app.delete('/alerts/:id/noise', route(unmarkNoise, { input: byId }));
  app.get('/deliveries', route(listDeliveries, { input: (request) => ({ query: request.query }) }));
  app.get('/deliveries/:id', route(getDelivery, { input: byId }));
  app.post(
    '/deliveries/:id/retry',
    route(retryDelivery, { status: 202, input: (request) => ({ ...byId(request), body: noBodyOf(request) }) }),
  );
  app.post('/deliveries/replay', route(replayDeliveries, { status: 202, input: (request) => ({ body: bodyOf(request) }) }));
}
