import {
  createEscalationPolicy,
  createRunbookAction,
  deleteEscalationPolicy,
  deleteRunbookAction,
  getEscalationPolicy,
  getRunbookAction,
  listEscalationPolicies,
  listRunbookActions,
  putEscalationPolicy,
  putRunbookAction,
} from '@tocsin/services';
import type { FastifyInstance, FastifyRequest } from 'fastify';
import { bodyOf, ifMatchOf, paramOf, type VerbRoute } from '../http/verb-route.ts';

const byKey = (request: FastifyRequest) => ({ key: paramOf(request, 'key') });

/** What happens to alerts that nobody takes in hand, and what a tenant's own automation does about alerts. */
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
  app.post('/runbook-actions', route(createRunbookAction, { status: 201, input: (request) => ({ body: bodyOf(request) }) }));
  app.get('/runbook-actions', route(listRunbookActions, { input: () => undefined }));
  app.get('/runbook-actions/:key', route(getRunbookAction, { input: byKey }));
  app.put(
    '/runbook-actions/:key',
    route(putRunbookAction, { input: (request) => ({ ...byKey(request), body: bodyOf(request), ifMatch: ifMatchOf(request) }) }),
  );
  app.delete(
    '/runbook-actions/:key',
    route(deleteRunbookAction, { input: (request) => ({ ...byKey(request), ifMatch: ifMatchOf(request) }) }),
  );
}
