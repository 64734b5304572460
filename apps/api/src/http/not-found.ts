import { AppError } from '@tocsin/services';
import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify';
import { answerError } from './problem.ts';

/**
 * Answers 405 with `Allow` where the path exists for other methods, else 404, before a body is read: nobody has shown a key for it.
 * Register before the routes: it listens to them.
 */
export function answerUnknownRoutes(app: FastifyInstance): void {
  const routes: { path: RegExp; methods: string[] }[] = [];
  app.addHook('onRoute', ({ url, method }) => {
    const path = new RegExp(
      `^${url
        .replace(/[.+?^${}()|[\]\\]/g, '\\$&')
        .replace(/:[^/]+/g, '[^/]+')
        .replaceAll('*', '.*')}$`,
    );
    routes.push({ path, methods: [method].flat() });
  });
  const refusalOf = (request: FastifyRequest, reply: FastifyReply): AppError => {
    const path = request.url.split('?', 1)[0] ?? '';
    const allowed = [...new Set(routes.filter((route) => route.path.test(path)).flatMap((route) => route.methods))];
    if (allowed.length === 0) return new AppError('not_found', 'There is no such path.');
    reply.header('allow', allowed.join(', '));
    return new AppError('method_not_allowed', `This path takes ${allowed.join(', ')}.`);
  };
  app.addHook('onRequest', async (request, reply) => {
    if (request.is404) return answerError(refusalOf(request, reply), request, reply);
  });
}
