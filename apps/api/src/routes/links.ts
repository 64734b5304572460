import { AppError, followLink, type LinkedAlert, lookAtLink, type Services } from '@tocsin/services';
import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify';
import { askingPage, donePage, PAGE_HEADERS, refusalPage } from '../http/link-page.ts';
import { paramOf } from '../http/verb-route.ts';

/** A form without fields sends nothing that counts. */
const BODY_MAX = 1_024;

/** Links in messages: a look asks, and only the form that the page shows acts. What is in the path is the permission; it is logged nowhere. */
export function linkRoutes(app: FastifyInstance, services: Services): void {
  app.removeAllContentTypeParsers();
  app.addContentTypeParser('application/x-www-form-urlencoded', { parseAs: 'buffer' }, (_request, _body, done) => done(null));
  const isPublic = { config: { permission: 'public' }, bodyLimit: BODY_MAX } as const;
  const handler =
    (open: (services: Services, token: string) => Promise<LinkedAlert>, page: (linked: LinkedAlert) => string) =>
    async (request: FastifyRequest, reply: FastifyReply): Promise<FastifyReply> => {
      try {
        const linked = await open(services, paramOf(request, 'token'));
        return reply.headers(PAGE_HEADERS).send(page(linked));
      } catch (error) {
        return refuse(error, request, reply);
      }
    };
  app.get('/links/:token', { ...isPublic, handler: handler(lookAtLink, askingPage) });
  app.post('/links/:token', { ...isPublic, handler: handler(followLink, donePage) });
}

/** A page for who asks for one, as browsers do. */
function refuse(error: unknown, { headers }: FastifyRequest, reply: FastifyReply): FastifyReply {
  if (!(error instanceof AppError) || headers.accept?.includes('text/html') !== true) throw error;
  return reply.code(error.status).headers(PAGE_HEADERS).send(refusalPage(error.code));
}
