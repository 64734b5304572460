import { evaluateNow, getSchedule, putSchedule, runScheduled, type Services } from '@tocsin/services';
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

/** For outside crons, which send either method; a body is read and means nothing. Not a `HEAD`: nobody expects that to do anything. */
export function scheduledRunRoute(app: FastifyInstance, services: Services): void {
  app.route({
    method: ['GET', 'POST'],
    url: '/scheduled-run',
    exposeHeadRoute: false,
    config: { permission: 'scheduler' },
    handler: async (request, reply) => {
      const ran = await runScheduled(services);
      const { evaluated, totalEventsFired, queued } = ran;
      request.log.info(
        { from: request.ip, evaluated, totalEventsFired, queued: queued.length },
        'ran what was due, as was asked from outside',
      );
      return reply.header('cache-control', 'no-store').send(ran);
    },
  });
}
