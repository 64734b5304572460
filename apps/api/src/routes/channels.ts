import {
  createChannel,
  deleteChannel,
  getChannel,
  getNotificationSettings,
  listChannelKinds,
  listChannels,
  putNotificationSettings,
  rotateSecret,
  testChannel,
  updateChannel,
} from '@tocsin/services';
import type { FastifyInstance } from 'fastify';
import { bodyOf, bodyOrNothing, ifMatchOf, noBodyOf, paramOf, type VerbRoute } from '../http/verb-route.ts';

export function channelRoutes(app: FastifyInstance, route: VerbRoute): void {
  app.post('/channels', route(createChannel, { status: 201, input: (request) => ({ body: bodyOf(request) }) }));
  app.get('/channels', route(listChannels, { input: (request) => ({ query: request.query }) }));
  app.get('/channels/kinds', route(listChannelKinds, { input: () => undefined }));
  app.get('/channels/:id', route(getChannel, { input: (request) => ({ id: paramOf(request, 'id') }) }));
  app.patch(
    '/channels/:id',
    route(updateChannel, {
      input: (request) => ({ id: paramOf(request, 'id'), body: bodyOf(request), ifMatch: ifMatchOf(request) }),
    }),
  );
  app.delete(
    '/channels/:id',
    route(deleteChannel, {
      input: (request) => ({ id: paramOf(request, 'id'), query: request.query, ifMatch: ifMatchOf(request) }),
    }),
  );
  app.post('/channels/:id/test', route(testChannel, { input: (request) => ({ id: paramOf(request, 'id'), body: noBodyOf(request) }) }));
  app.post(
    '/channels/:id/rotate-secret',
    route(rotateSecret, {
      input: (request) => ({ id: paramOf(request, 'id'), body: bodyOrNothing(request), ifMatch: ifMatchOf(request) }),
    }),
  );
  app.get('/notification-settings', route(getNotificationSettings, { input: () => undefined }));
  app.put('/notification-settings', route(putNotificationSettings, { input: (request) => ({ body: bodyOf(request) }) }));
}
