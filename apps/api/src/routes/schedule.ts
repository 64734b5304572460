import { getSchedule, putSchedule } from '@tocsin/services';
import type { FastifyInstance } from 'fastify';
import { bodyOf, type VerbRoute } from '../http/verb-route.ts';

export function scheduleRoutes(app: FastifyInstance, route: VerbRoute): void {
  app.get('/schedule', route(getSchedule, { input: () => undefined }));
  app.put('/schedule', route(putSchedule, { input: (request) => ({ body: bodyOf(request) }) }));
}
