import { boundVariables, eventBounds, startApi } from '@tocsin/api';
import { startDispatch } from '@tocsin/dispatcher';
import { startPostgres } from '@tocsin/embedded-postgres';
import { startEvaluation } from '@tocsin/evaluator';
import { openEventStore } from '@tocsin/events';
import { prepareDatabase } from '@tocsin/migrate';
import {
  archiveVariables,
  deliveryVariables,
  evaluationBounds,
  evaluationVariables,
  openArrivals,
  openDelivery,
  openPipeline,
  pipelineVariables,
  retentionOf,
} from '@tocsin/pipeline';
import { CannotStart, type Logger, type ShutdownStack, systemClock, variables } from '@tocsin/runtime';
import { startScheduler } from '@tocsin/scheduler';
import type { Defaults } from '@tocsin/services';
import type { FastifyInstance } from 'fastify';
import { join } from 'node:path';
import { z } from 'zod';
import { demoRoutes } from './demo/demo-routes.ts';
import { openEcho } from './demo/echo.ts';
import { startDemo } from './demo/start-demo.ts';
import { type Credentials, firstTenant } from './first-tenant.ts';
import { keepPostgres } from './keep-postgres.ts';
import { keepSecrets } from './keep-secrets.ts';
import { reachableUrl } from './reachable-url.ts';

export const standaloneConfig = z.object({
  ...deliveryVariables,
  ...evaluationVariables,
  ...boundVariables,
  ...archiveVariables,
  secretKey: variables.secretKey.optional(),
  adminKey: variables.adminKey.optional(),
  schedulerSecret: variables.schedulerSecret.optional(),
  scheduler: variables.scheduler,
  host: variables.host,
  port: variables.port,
  retention: pipelineVariables.retention,
  rulesFile: variables.rulesFile,
  dataDir: z.string().default('.tocsin'),
});
type StandaloneConfig = z.infer<typeof standaloneConfig>;

export interface StandaloneOptions {
  config: StandaloneConfig;
  /** An absolute path. */
  dataDir: string;
  isDemo: boolean;
  /** What every tenant begins with; null: nothing. */
  defaults: Defaults | null;
  logger: Logger;
  stack: ShutdownStack;
  /** Aborts when the process has been told to stop, also in the middle of its start. */
  signal: AbortSignal;
  /** Tells a person what is going on. */
  say: (line: string) => void;
}

/** The caches of an evaluator of its own would be larger than everything else here together. */
const CACHE_BYTES = { cacheBytes: 64 * 1_024 * 1_024, hoursCacheBytes: 32 * 1_024 * 1_024 };
/** The demo's receiver is this very server. */
const LOOPBACK = ['127.0.0.0/8', '::1/128'];

/** Everything in this process, on an embedded PostgreSQL. Resolves once requests are answered. */
export async function startStandalone({
  config,
  dataDir,
  isDemo,
  defaults,
  logger,
  stack,
  signal,
  say,
}: StandaloneOptions): Promise<Credentials> {
  const secrets = keepSecrets(dataDir, say);
  say('starting PostgreSQL');
  const starting = startPostgres({ dataDir: join(dataDir, 'postgres'), log: (line) => logger.info(line) }).catch(told);
  // Told to stop in the middle of its start, a server would otherwise stay behind.
  stack.defer('PostgreSQL', () =>
    starting.then(
      (server) => server.stop(),
      () => undefined,
    ),
  );
  const server = await starting;
  signal.throwIfAborted();
  for (const note of server.notes) say(note);
  // Where it rejects nobody catches it, and the process ends.
  const watching = keepPostgres(server, { clock: systemClock, signal, say });
  stack.defer('watch on PostgreSQL', () => watching.catch(() => undefined));

  const databaseUrl = asRole(server.url, 'tocsin_app', secrets.appPassword);
  const queueUrl = asRole(server.url, 'tocsin_queue', secrets.queuePassword);
  say('preparing the database');
  await prepareDatabase({ adminDatabaseUrl: server.url, databaseUrl, queueUrl, log: (line) => logger.info(line) });
  signal.throwIfAborted();

  say('starting the scheduler, an evaluator, a dispatcher and the API');
  const pipeline = await openPipeline({ name: 'standalone', databaseUrl, queueUrl, retention: config.retention, logger, stack });
  const delivery = isDemo ? { ...config, allowHttp: true, allowCidrs: [...config.allowCidrs, ...LOOPBACK] } : config;
  const publicUrl = config.publicUrl ?? reachableUrl(config.host, config.port);
  const deps = openDelivery(pipeline, { ...delivery, publicUrl, secretKey: config.secretKey ?? secrets.secretKey }, stack);
  const arrivals = openArrivals(deps);
  stack.defer('arrivals', arrivals.close);
  const store = openEventStore({
    ...deps,
    onLanded: arrivals.landed,
    bounds: { ...eventBounds(config), seriesPerQuery: config.seriesPerRule, ...CACHE_BYTES },
  });
  stack.defer('event store', store.close);
  startScheduler(deps, stack, config.scheduler);
  await Promise.all([
    startEvaluation({ ...deps, store, retention: retentionOf(config), runBounds: evaluationBounds(config) }, stack),
    startDispatch(deps, stack),
  ]);

  const demo = { state: { isBroken: false }, echo: openEcho() };
  const adminKey = config.adminKey ?? secrets.adminKey;
  const schedulerSecret = config.schedulerSecret ?? secrets.schedulerSecret;
  const { host, port: wantedPort } = config;
  const extend = isDemo ? { extend: (api: FastifyInstance) => demoRoutes(api, demo.state, demo.echo) } : {};
  const { app, port } = await startApi(
    { ...deps, events: store, scheduler: config.scheduler },
    { host, port: wantedPort, adminKey, schedulerSecret, bounds: config, defaults, ...extend },
    stack,
  );
  const url = reachableUrl(host, port);

  const credentials = await firstTenant({
    app,
    adminKey,
    schedulerSecret,
    url,
    dataDir,
  });
  if (isDemo) {
    say('filling the demo shop with a day of history');
    await startDemo({ url, apiKey: credentials.apiKey, state: demo.state, clock: deps.clock, logger, stack });
  }
  return credentials;
}

/** What keeps a PostgreSQL from starting lies outside of it, and its messages say where. */
function told(error: unknown): never {
  throw new CannotStart(error instanceof Error ? error.message : String(error), { cause: error });
}

function asRole(adminUrl: string, user: string, password: string): string {
  const url = new URL(adminUrl);
  url.username = user;
  url.password = password;
  return url.href;
}
