import {
  createMetricDefinition,
  deleteMetricDefinition,
  getMetricDefinition,
  listMetricDefinitions,
  listRulesOfMetric,
  updateMetricDefinition,
} from '@tocsin/services';
import type { FastifyInstance } from 'fastify';
import { bodyOf, ifMatchOf, paramOf, type VerbRoute } from '../http/verb-route.ts';

export function metricDefinitionRoutes(app: FastifyInstance, route: VerbRoute): void {
  app.get('/metrics/definitions', route(listMetricDefinitions, { input: (request) => ({ query: request.query }) }));
  app.post('/metrics/definitions', route(createMetricDefinition, { status: 201, input: (request) => ({ body: bodyOf(request) }) }));
  app.get('/metrics/definitions/:key', route(getMetricDefinition, { input: (request) => ({ key: paramOf(request, 'key') }) }));
  app.patch(
    '/metrics/definitions/:key',
    route(updateMetricDefinition, {
      input: (request) => ({ key: paramOf(request, 'key'), body: bodyOf(request), ifMatch: ifMatchOf(request) }),
    }),
  );
  app.delete(
    '/metrics/definitions/:key',
    route(deleteMetricDefinition, { input: (request) => ({ key: paramOf(request, 'key'), ifMatch: ifMatchOf(request) }) }),
  );
  app.get(
    '/metrics/definitions/:key/rules',
    route(listRulesOfMetric, { input: (request) => ({ key: paramOf(request, 'key'), query: request.query }) }),
  );
}
