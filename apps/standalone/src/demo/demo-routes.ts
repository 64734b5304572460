import type { FastifyInstance, FastifyRequest } from 'fastify';
import type { Echo } from './echo.ts';

export interface DemoState {
  isBroken: boolean;
}

const SHOWN_HEADERS = ['content-type', 'user-agent', 'webhook-id', 'webhook-timestamp', 'webhook-signature'];
/** A demo is played by whoever sits in front of it; its routes exist in demo mode alone. */
const isPublic = { config: { permission: 'public' } } as const;

/** `break` and `heal` the shop, and the receiver its alerts are sent to. */
export function demoRoutes(app: FastifyInstance, state: DemoState, echo: Echo): void {
  const setBroken = (isBroken: boolean) => async () => {
    state.isBroken = isBroken;
    return { broken: state.isBroken };
  };
  app.post('/api/v1/demo/break', isPublic, setBroken(true));
  app.post('/api/v1/demo/heal', isPublic, setBroken(false));
  app.get('/api/v1/demo/echo', isPublic, async () => ({ data: echo.last() }));
  app.post('/api/v1/demo/echo', isPublic, async (request, reply) => {
    echo.take({ receivedAt: new Date().toISOString(), headers: shownHeaders(request), body: request.body });
    return reply.code(204).send();
  });
}

function shownHeaders({ headers }: FastifyRequest): Record<string, string> {
  return Object.fromEntries(SHOWN_HEADERS.flatMap((name) => (typeof headers[name] === 'string' ? [[name, headers[name]]] : [])));
}
