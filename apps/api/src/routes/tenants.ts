import { isUuid, newId } from '@tocsin/db';
import { createApiKey, createTenant, listApiKeys, listTenants, notFound, revokeApiKey } from '@tocsin/services';
import type { FastifyInstance, FastifyRequest } from 'fastify';
import { createHash } from 'node:crypto';
import { bodyOf, idempotencyKeyOf, paramOf, type VerbRoute } from '../http/verb-route.ts';

/** The operator's routes. A tenant's own admins may manage its keys too. */
export function tenantRoutes(app: FastifyInstance, route: VerbRoute): void {
  const keys = '/tenants/:tenantId/api-keys';
  const ofTenant = { forOperatorToo: true, tenantId: tenantInPath };
  app.post('/tenants', route(createTenant, { status: 201, tenantId: newTenantId, input: (request) => ({ body: bodyOf(request) }) }));
  app.get('/tenants', route(listTenants, { tenantId: newId, input: (request) => ({ query: request.query }) }));
  app.post(keys, route(createApiKey, { ...ofTenant, status: 201, input: (request) => ({ body: bodyOf(request) }) }));
  app.get(keys, route(listApiKeys, { ...ofTenant, input: (request) => ({ query: request.query }) }));
  app.delete(`${keys}/:id`, route(revokeApiKey, { ...ofTenant, input: (request) => ({ id: paramOf(request, 'id') }) }));
}

/** Throws a 404 for a tenant that is not the caller's. */
function tenantInPath(request: FastifyRequest): string {
  const tenantId = paramOf(request, 'tenantId').toLowerCase();
  const own = request.caller?.tenantId ?? null;
  if (!isUuid(tenantId) || (own !== null && own !== tenantId)) throw notFound('tenant');
  return tenantId;
}

/** A repeated request must find the tenant that the first one made, so its id follows from the `Idempotency-Key` (a UUID of version 8). */
function newTenantId(request: FastifyRequest): string {
  const key = idempotencyKeyOf(request);
  if (key === null) return newId();
  const hex = createHash('sha256').update(`tenant ${key}`).digest('hex');
  return `${hex.slice(0, 8)}-${hex.slice(8, 12)}-8${hex.slice(13, 16)}-8${hex.slice(17, 20)}-${hex.slice(20, 32)}`;
}
