import { deleteDrillSchedule, getDrill, getDrillSchedule, listDrills, putDrillSchedule, startDrill } from '@tocsin/services';
import type { FastifyInstance } from 'fastify';
import { bodyOf, paramOf, type VerbRoute } from '../http/verb-route.ts';

export function drillRoutes(app: FastifyInstance, route: VerbRoute): void {
  app.post('/drills', route(startDrill, { status: 202, input: (request) => ({ body: bodyOf(request) }) }));
  app.get('/drills', route(listDrills, { input: (request) => ({ query: request.query }) }));
  app.get('/drills/:id', route(getDrill, { input: (request) => ({ id: paramOf(request, 'id') }) }));
  app.get('/drills/schedule', route(getDrillSchedule, { input: () => undefined }));
  app.put('/drills/schedule', route(putDrillSchedule, { input: (request) => ({ body: bodyOf(request) }) }));
  app.delete('/drills/schedule', route(deleteDrillSchedule, { input: () => undefined }));
}
