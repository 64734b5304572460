import type { BenchDatabase } from './bench-database.ts';
import { SECRET_KEY } from './latency-channels.ts';
import { type App, startApp } from './start-app.ts';

/** A dispatcher process that may send to receivers on this machine. */
export const startDispatcher = ({ appUrl }: BenchDatabase, queueUrl: string): Promise<App> =>
  startApp('dispatcher', {
    TOCSIN_DATABASE_URL: appUrl,
    TOCSIN_QUEUE_URL: queueUrl,
    TOCSIN_SECRET_KEY: SECRET_KEY,
    TOCSIN_PUBLIC_URL: 'http://tocsin.test',
    TOCSIN_ALLOW_HTTP: 'true',
    TOCSIN_ALLOW_CIDRS: '127.0.0.0/8',
  });
