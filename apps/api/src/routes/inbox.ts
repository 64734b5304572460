import { countUnread, type InboxFeed, listInbox, openInboxFeed, readInbox, type Services, unreadInbox, watchInbox } from '@tocsin/services';
import type { FastifyInstance, FastifyRequest } from 'fastify';
import { bodyOf, type VerbRoute } from '../http/verb-route.ts';

/** What was told within the product. */
export function inboxRoutes(app: FastifyInstance, route: VerbRoute, services: Services): void {
  const feed: InboxFeed = openInboxFeed(services);
  // before the server waits for what is open
  app.addHook('preClose', () => feed.close());
  app.get('/inbox', route(listInbox, { input: (request) => ({ query: request.query }) }));
  app.get('/inbox/unread', route(countUnread, { input: () => undefined }));
  app.post('/inbox/read', route(readInbox, { input: (request) => ({ body: bodyOf(request) }) }));
  app.post('/inbox/unread', route(unreadInbox, { input: (request) => ({ body: bodyOf(request) }) }));
  // a HEAD of it would never end
  app.get('/inbox/stream', {
    exposeHeadRoute: false,
    ...route(watchInbox, { input: (request) => ({ feed, query: request.query, lastId: lastHeard(request) }) }),
  });
}

/** What browsers send when they come again. */
function lastHeard({ headers }: FastifyRequest): string | undefined {
  const last = headers['last-event-id'];
  return typeof last === 'string' && last !== '' ? last : undefined;
}
