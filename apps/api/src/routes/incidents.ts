import { acknowledgeIncident, getIncident, listIncidents, resolveIncident } from '@tocsin/services';
import type { FastifyInstance, FastifyRequest } from 'fastify';
import { bodyOrNothing, paramOf, type VerbRoute } from '../http/verb-route.ts';

const byIdWithNote = (request: FastifyRequest) => ({ id: paramOf(request, 'id'), body: bodyOrNothing(request) });

/** Alerts that are one trouble. */
export function incidentRoutes(app: FastifyInstance, route: VerbRoute): void {
  app.get('/incidents', route(listIncidents, { input: (request) => ({ query: request.query }) }));
  app.get('/incidents/:id', route(getIncident, { input: (request) => ({ id: paramOf(request, 'id') }) }));
  app.post('/incidents/:id/acknowledge', route(acknowledgeIncident, { input: byIdWithNote }));
  app.post('/incidents/:id/resolve', route(resolveIncident, { input: byIdWithNote }));
}
