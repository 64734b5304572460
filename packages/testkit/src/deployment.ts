import { migrateQueue, type QueueBackend } from '@tocsin/queue';
import { testDatabase } from './test-database.ts';
import { type TestQueue, testQueue } from './test-queue.ts';
import { type TocsinProcess, startTocsin } from './tocsin-process.ts';

const APPS = ['api', 'scheduler', 'evaluator', 'dispatcher'] as const;
export type App = (typeof APPS)[number];

export interface Deployment {
  /** Where the API listens. */
  url: string;
  env: Record<string, string>;
  adminKey: string;
  database: Awaited<ReturnType<typeof testDatabase>>;
  /** Those still running, in the order of their start. */
  running: (app?: App) => TocsinProcess[];
  /** One more process; resolves once it is ready. `env` is added to the deployment's. */
  start: (app: App, env?: Record<string, string>) => Promise<TocsinProcess>;
  close: () => Promise<void>;
}

const SECRET_KEY = 'a-secret-key-for-tests-of-32-chars-or-more';
const ADMIN_KEY = 'an-admin-key-for-tests-of-32-chars-or-more';

/**
 * Every process on its own, as in production, on a fresh database and fresh queues: of one backend, or on a Redis of the caller's.
 * `postgresUrl`: on a PostgreSQL of the caller's, which then holds the queues too where they are its.
 */
export async function openDeployment(
  queues: QueueBackend | { url: string },
  counts: Record<App, number>,
  { postgresUrl }: { postgresUrl?: string } = {},
): Promise<Deployment> {
  const database = await testDatabase(postgresUrl);
  const queue = await openQueue(queues, postgresUrl === undefined ? null : database.queueUrl);
  const env = {
    TOCSIN_DATABASE_URL: database.appUrl,
    TOCSIN_QUEUE_URL: queue.url,
    TOCSIN_SECRET_KEY: SECRET_KEY,
    TOCSIN_ADMIN_KEY: ADMIN_KEY,
    // Its runs would be among those that tests count.
    TOCSIN_SELF_WATCH: 'false',
    TOCSIN_PUBLIC_URL: 'http://tocsin.test',
    TOCSIN_ALLOW_HTTP: 'true',
    TOCSIN_ALLOW_CIDRS: '127.0.0.0/8',
  };
  const processes: { app: App; process: TocsinProcess }[] = [];
  const start = async (app: App, more: Record<string, string> = {}): Promise<TocsinProcess> => {
    const process = await startTocsin(app, { ...env, ...more });
    const entry = { app, process };
    processes.push(entry);
    void process.exited.then(() => processes.splice(processes.indexOf(entry), 1));
    await process.ready();
    return process;
  };
  const close = async (): Promise<void> => {
    await Promise.all(processes.map(({ process }) => process.stop('SIGTERM')));
    await queue.close();
    await database.drop();
  };
  try {
    const started = await Promise.all(APPS.flatMap((app) => Array.from({ length: counts[app] }, () => start(app))));
    const api = started.find((process) => process.app === 'api');
    return {
      url: api?.url ?? '',
      env,
      adminKey: ADMIN_KEY,
      database,
      running: (app) => processes.filter((entry) => app === undefined || entry.app === app).map((entry) => entry.process),
      start,
      close,
    };
  } catch (error) {
    await close();
    throw error;
  }
}

async function openQueue(queues: QueueBackend | { url: string }, inDatabaseUrl: string | null): Promise<Pick<TestQueue, 'url' | 'close'>> {
  if (typeof queues !== 'string') return { url: queues.url, close: async () => {} };
  if (queues !== 'postgres' || inDatabaseUrl === null) return testQueue(queues);
  await migrateQueue({ url: inDatabaseUrl });
  return { url: inDatabaseUrl, close: async () => {} };
}
