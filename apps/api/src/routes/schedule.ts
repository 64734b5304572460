import { evaluateNow, getSchedule, putSchedule } from '@tocsin/services';
import type { FastifyInstance } from 'fastify';
import { bodyOf, noBodyOf, type VerbRoute } from '../http/verb-route.ts';

export function scheduleRoutes(app: FastifyInstance, route: VerbRoute): void {
  app.get('/schedule', route(getSchedule, { input: () => undefined }));
  app.put('/schedule', route(putSchedule, { input: (request) => ({ body: bodyOf(request) }) }));
  app.post(
    '/evaluate',
    route(evaluateNow, {
      input: (request) => ({ body: noBodyOf(request) }),
      answer: (output) => ({ status: output.status === 'queued' ? 202 : 200, body: output }),
    }),
  );
}
