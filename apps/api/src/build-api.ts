import type { DependencyChecks } from '@tocsin/runtime';
import { AppError, openKeyring, type Services } from '@tocsin/services';
import Fastify, { type FastifyBaseLogger, type FastifyInstance, type FastifyReply, type FastifyRequest, LogController } from 'fastify';
import { randomUUID } from 'node:crypto';
import type { Socket } from 'node:net';
import { queueBoard } from './admin/queue-board.ts';
import { API_BOUNDS, type ApiBounds } from './api-bounds.ts';
import { authenticate } from './http/authenticate.ts';
import { boundBodies } from './http/body-room.ts';
import { refuseEncodedBodies } from './http/encoded-bodies.ts';
import { readJsonBodies } from './http/json-body.ts';
import { answerUnknownRoutes } from './http/not-found.ts';
import { answerError, problemOf } from './http/problem.ts';
import { setSecurityHeaders } from './http/security-headers.ts';
import { timeRequests } from './http/time-requests.ts';
import { verbRoutes } from './http/verb-route.ts';
import { WIRE_LIMITS, type WireLimits } from './http/wire-limits.ts';
import { alertRoutes } from './routes/alerts.ts';
import { channelRoutes } from './routes/channels.ts';
import { drillRoutes } from './routes/drills.ts';
import { escalationRoutes } from './routes/escalation.ts';
import { inboxRoutes } from './routes/inbox.ts';
import { linkRoutes } from './routes/links.ts';
import { incidentRoutes } from './routes/incidents.ts';
import { ingestRoute, metricRoutes } from './routes/events.ts';
import { metricDefinitionRoutes } from './routes/metric-definitions.ts';
import { mutingRoutes } from './routes/muting.ts';
import { opsRoutes } from './routes/ops.ts';
import { packRoutes } from './routes/packs.ts';
import { ruleRoutes } from './routes/rules.ts';
import { scheduledRunRoute, scheduleRoutes } from './routes/schedule.ts';
import { slackRoutes } from './routes/slack.ts';
import { tenantRoutes } from './routes/tenants.ts';

export interface ApiDeps {
  services: Services;
  adminKey: string;
  /** Null: nobody runs what is due from outside. */
  schedulerSecret?: string | null;
  /** What `/readyz` asks. */
  dependencies: DependencyChecks;
  /** Routes of whoever runs the API in its own process; each declares its permission. */
  extend?: (app: FastifyInstance) => void;
  limits?: WireLimits;
  bounds?: ApiBounds;
}

const API = { prefix: '/api/v1' };

/** The whole HTTP surface as a function of what it needs; not listening yet. */
export async function buildApi({
  services,
  adminKey,
  schedulerSecret = null,
  dependencies,
  extend,
  limits = WIRE_LIMITS,
  bounds = API_BOUNDS,
}: ApiDeps): Promise<FastifyInstance> {
  // Typed down, or the whole app would be an app of that one logger.
  const loggerInstance: FastifyBaseLogger = services.logger;
  const app: FastifyInstance = Fastify({
    loggerInstance,
    logController: new LogController({ disableRequestLogging: true, requestIdLogLabel: 'requestId' }),
    bodyLimit: bounds.bodyBytes,
    genReqId: () => randomUUID(),
    trustProxy: false,
    onProtoPoisoning: 'error',
    onConstructorPoisoning: 'error',
    requestTimeout: limits.requestMs,
    connectionTimeout: limits.silenceMs,
    keepAliveTimeout: limits.keepAliveMs,
    http: { headersTimeout: limits.requestMs, connectionsCheckingInterval: limits.checkEveryMs },
    // While it closes, connections that are open are served and told to close.
    return503OnClosing: false,
    routerOptions: { maxParamLength: 500 },
    frameworkErrors: (error, request, reply) => void answerError(error, request as FastifyRequest, reply as FastifyReply),
    clientErrorHandler: answerBrokenHttp,
  });
  app.setErrorHandler(answerError);
  setSecurityHeaders(app, services.publicUrl?.startsWith('https:') ?? false);
  timeRequests(app, services.metrics);
  answerUnknownRoutes(app);
  authenticate(app, { keyring: openKeyring(services), adminKey, scheduler: { ...services, secret: schedulerSecret } });
  refuseEncodedBodies(app);
  boundBodies(app, bounds.bodyBytes);
  readJsonBodies(app);

  const route = verbRoutes(services);
  opsRoutes(app, { metrics: services.metrics, dependencies });
  app.register(async (api) => {
    for (const routes of [
      ruleRoutes,
      packRoutes,
      mutingRoutes,
      alertRoutes,
      channelRoutes,
      drillRoutes,
      escalationRoutes,
      incidentRoutes,
      scheduleRoutes,
      tenantRoutes,
      metricRoutes,
      metricDefinitionRoutes,
    ])
      routes(api, route);
  }, API);
  app.register(async (api) => inboxRoutes(api, route, services), API);
  app.register(async (api) => scheduledRunRoute(api, services), API);
  app.register(async (api) => ingestRoute(api, services, bounds.eventsPerRequest), API);
  app.register(async (api) => slackRoutes(api, services), API);
  app.register(async (links) => linkRoutes(links, services));
  app.register(async (admin) => queueBoard(admin, services.queues));
  extend?.(app);
  await app.ready();
  return app;
}

/** Bytes that are no HTTP request never reach a route; they are answered on the socket. */
function answerBrokenHttp(error: Error & { code?: string }, socket: Socket): void {
  if (error.code === 'ECONNRESET' || !socket.writable) {
    socket.destroy();
    return;
  }
  const refusal = refusalOfBytes(error.code);
  const body = JSON.stringify(problemOf(refusal, randomUUID()));
  socket.write(
    `HTTP/1.1 ${refusal.status} ${problemOf(refusal, '').title}\r\ncontent-type: application/problem+json\r\nconnection: close\r\ncontent-length: ${Buffer.byteLength(body)}\r\n\r\n${body}`,
  );
  // Ended alone it would stay open for as long as the other side goes on sending.
  socket.destroySoon();
}

function refusalOfBytes(code: string | undefined): AppError {
  if (code === 'HPE_HEADER_OVERFLOW') return new AppError('header_too_large', 'The headers are longer than 16 KiB.');
  if (code === 'ERR_HTTP_REQUEST_TIMEOUT') return new AppError('request_timeout', 'The request did not come to its end in time.');
  return new AppError('bad_request', 'The request could not be read as HTTP.');
}
