import { createBullBoard } from '@bull-board/api';
import { BullMQAdapter } from '@bull-board/api/bullMQAdapter';
import { FastifyAdapter } from '@bull-board/fastify';
import type { Queues } from '@tocsin/queue';
import { AppError } from '@tocsin/services';
import type { FastifyInstance, FastifyRequest } from 'fastify';
import { answerError } from '../http/problem.ts';

const QUEUE_BOARD = '/admin/queues';

/** Its own scripts and styles alone; the styles it sets in place need `unsafe-inline`. */
const PAGE_POLICY =
  "default-src 'self'; style-src 'self' 'unsafe-inline'; img-src 'self' data:; frame-ancestors 'none'; form-action 'self'; base-uri 'self'";

/** Bull Board over the process's queues, for the operator alone. Register in a scope of its own. */
export function queueBoard(app: FastifyInstance, queues: Queues): void {
  const board = new FastifyAdapter().setBasePath(QUEUE_BOARD);
  createBullBoard({
    queues: queues.forBoard().map((queue) => new BullMQAdapter(queue)),
    serverAdapter: board,
    options: { uiConfig: { boardTitle: 'Tocsin queues' } },
  });
  board.setErrorHandler((error) => {
    app.log.error({ err: error }, 'queue board failed');
    return { status: 500, body: { error: 'Internal error' } };
  });

  app.addHook('onRoute', (route) => {
    route.config = { ...route.config, permission: 'operator', allowBasic: true };
  });
  app.addHook('onRequest', async (request, reply) => {
    reply.header('content-security-policy', PAGE_POLICY);
    if (isFromElsewhere(request))
      return answerError(new AppError('cross_origin', 'The request did not come from the queue board.'), request, reply);
  });
  app.register(board.registerPlugin(), { prefix: QUEUE_BOARD });
}

/** A browser sends the remembered password along with whatever any site posts; only our own pages' requests name our origin. */
function isFromElsewhere({ method, headers }: FastifyRequest): boolean {
  if (method === 'GET' || method === 'HEAD') return false;
  if (headers.authorization?.toLowerCase().startsWith('bearer ') === true) return false;
  const { origin, host } = headers;
  return origin === undefined || !URL.canParse(origin) || new URL(origin).host !== host;
}
