import { disablePack, enablePack, getPack, installPack, listPacks, uninstallPack } from '@tocsin/services';
import type { FastifyInstance } from 'fastify';
import { bodyOrNothing, noBodyOf, paramOf, type VerbRoute } from '../http/verb-route.ts';

export function packRoutes(app: FastifyInstance, route: VerbRoute): void {
  app.get('/packs', route(listPacks, { input: () => undefined }));
  app.get('/packs/:key', route(getPack, { input: (request) => ({ key: paramOf(request, 'key') }) }));
  app.post(
    '/packs/:key/install',
    route(installPack, { input: (request) => ({ key: paramOf(request, 'key'), query: request.query, body: bodyOrNothing(request) }) }),
  );
  app.post('/packs/:key/enable', route(enablePack, { input: (request) => ({ key: paramOf(request, 'key'), body: noBodyOf(request) }) }));
  app.post('/packs/:key/disable', route(disablePack, { input: (request) => ({ key: paramOf(request, 'key'), body: noBodyOf(request) }) }));
  app.post(
    '/packs/:key/uninstall',
    route(uninstallPack, { input: (request) => ({ key: paramOf(request, 'key'), body: noBodyOf(request) }) }),
  );
}
