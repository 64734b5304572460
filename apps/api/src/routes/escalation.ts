import {
  createEscalationPolicy,
  deleteEscalationPolicy,
  getEscalationPolicy,
  listEscalationPolicies,
  putEscalationPolicy,
} from '@tocsin/services';
import type { FastifyInstance, FastifyRequest } from 'fastify';
import { bodyOf, ifMatchOf, paramOf, type VerbRoute } from '../http/verb-route.ts';

const byKey = (request: FastifyRequest) => ({ key: paramOf(request, 'key') });

/** What happens to alerts that nobody takes in hand. */
export function escalationRoutes(app: FastifyInstance, route: VerbRoute): void {
  app.post('/escalation-policies', route(createEscalationPolicy, { status: 201, input: (request) => ({ body: bodyOf(request) }) }));
  app.get('/escalation-policies', route(listEscalationPolicies, { input: () => undefined }));
  app.get('/escalation-policies/:key', route(getEscalationPolicy, { input: byKey }));
  app.put(
    '/escalation-policies/:key',
    route(putEscalationPolicy, { input: (request) => ({ ...byKey(request), body: bodyOf(request), ifMatch: ifMatchOf(request) }) }),
  );
  app.delete(
    '/escalation-policies/:key',
    route(deleteEscalationPolicy, { input: (request) => ({ ...byKey(request), ifMatch: ifMatchOf(request) }) }),
  );
}
