import { ERRORS, errorDefinition, isErrorCode } from '@tocsin/contracts';
import { checkReadiness, type DependencyChecks, type Metrics } from '@tocsin/runtime';
import { notFound } from '@tocsin/services';
import type { FastifyInstance } from 'fastify';
import { paramOf } from '../http/verb-route.ts';

interface OpsRoutesOptions {
  metrics: Metrics;
  dependencies: DependencyChecks;
}

const isPublic = { config: { permission: 'public' } } as const;

/** What orchestrators and scrapers ask, and what a problem's `type` points to. */
export function opsRoutes(app: FastifyInstance, { metrics, dependencies }: OpsRoutesOptions): void {
  // Whoever opens the printed address in a browser should see that it is the right one, and where to go.
  app.get('/', isPublic, async () => ({
    name: 'Tocsin',
    api: '/api/v1',
    key: 'sent as "Authorization: Bearer tk_…"; the first one is in credentials.json of the data folder',
    health: ['/healthz', '/readyz', '/metrics'],
    errors: '/errors',
    queues: '/admin/queues',
  }));

  app.get('/healthz', isPublic, async () => ({ status: 'ok' }));

  app.get('/readyz', isPublic, async (_request, reply) => {
    const { ready, checks } = await checkReadiness(dependencies);
    return reply.code(ready ? 200 : 503).send({ status: ready ? 'ok' : 'unavailable', checks });
  });

  app.get('/metrics', isPublic, async (_request, reply) => reply.type(metrics.registry.contentType).send(await metrics.registry.metrics()));

  app.get('/errors', isPublic, async () => ({ data: Object.entries(ERRORS).map(([code, definition]) => ({ code, ...definition })) }));

  app.get('/errors/:code', isPublic, async (request) => {
    const code = paramOf(request, 'code');
    if (!isErrorCode(code)) throw notFound('error code');
    return { code, ...errorDefinition(code) };
  });
}
