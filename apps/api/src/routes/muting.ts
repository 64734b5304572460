import {
  createMaintenanceWindow,
  createSilence,
  deleteMaintenanceWindow,
  endSilence,
  getInhibitions,
  getMaintenanceWindow,
  getRoutes,
  getSilence,
  listMaintenanceWindows,
  listSilences,
  previewSilence,
  putInhibitions,
  putMaintenanceWindow,
  putRoutes,
  putSilence,
  silenceAlert,
  testRoutes,
  unsilenceAlert,
} from '@tocsin/services';
import type { FastifyInstance } from 'fastify';
import { bodyOf, bodyOrNothing, ifMatchOf, paramOf, type VerbRoute } from '../http/verb-route.ts';

/** Who hears, and who does not just now. */
export function mutingRoutes(app: FastifyInstance, route: VerbRoute): void {
  silenceRoutes(app, route);
  maintenanceRoutes(app, route);
  app.get('/routes', route(getRoutes, { input: () => undefined }));
  app.put('/routes', route(putRoutes, { input: (request) => ({ body: bodyOf(request), ifMatch: ifMatchOf(request) }) }));
  app.post('/routes/test', route(testRoutes, { input: (request) => ({ body: bodyOf(request) }) }));
  app.get('/inhibitions', route(getInhibitions, { input: () => undefined }));
  app.put('/inhibitions', route(putInhibitions, { input: (request) => ({ body: bodyOf(request), ifMatch: ifMatchOf(request) }) }));
}

function silenceRoutes(app: FastifyInstance, route: VerbRoute): void {
  app.post('/silences', route(createSilence, { status: 201, input: (request) => ({ body: bodyOf(request) }) }));
  app.post('/silences/preview', route(previewSilence, { input: (request) => ({ body: bodyOf(request) }) }));
  app.get('/silences', route(listSilences, { input: (request) => ({ query: request.query }) }));
  app.get('/silences/:id', route(getSilence, { input: (request) => ({ id: paramOf(request, 'id') }) }));
  app.put(
    '/silences/:id',
    route(putSilence, { input: (request) => ({ id: paramOf(request, 'id'), body: bodyOf(request), ifMatch: ifMatchOf(request) }) }),
  );
  app.delete('/silences/:id', route(endSilence, { input: (request) => ({ id: paramOf(request, 'id'), ifMatch: ifMatchOf(request) }) }));
  app.post('/alerts/:id/silence', route(silenceAlert, { input: (request) => ({ id: paramOf(request, 'id'), body: bodyOf(request) }) }));
  app.post(
    '/alerts/:id/unsilence',
    route(unsilenceAlert, { input: (request) => ({ id: paramOf(request, 'id'), body: bodyOrNothing(request) }) }),
  );
}

function maintenanceRoutes(app: FastifyInstance, route: VerbRoute): void {
  app.post('/maintenance-windows', route(createMaintenanceWindow, { status: 201, input: (request) => ({ body: bodyOf(request) }) }));
  app.get('/maintenance-windows', route(listMaintenanceWindows, { input: (request) => ({ query: request.query }) }));
  app.get('/maintenance-windows/:id', route(getMaintenanceWindow, { input: (request) => ({ id: paramOf(request, 'id') }) }));
  app.put(
    '/maintenance-windows/:id',
    route(putMaintenanceWindow, {
      input: (request) => ({ id: paramOf(request, 'id'), body: bodyOf(request), ifMatch: ifMatchOf(request) }),
    }),
  );
  app.delete(
    '/maintenance-windows/:id',
    route(deleteMaintenanceWindow, { input: (request) => ({ id: paramOf(request, 'id'), ifMatch: ifMatchOf(request) }) }),
  );
}
