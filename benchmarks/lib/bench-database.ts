import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type Database, migrate, openDatabase } from '@tocsin/db';
import { startPostgres } from '@tocsin/embedded-postgres';
import { migrateQueue } from '@tocsin/queue';
import { atEnd } from './at-end.ts';

export interface BenchDatabase {
  db: Database;
  /** As a superuser. */
  adminUrl: string;
  /** As `tocsin_app`. */
  appUrl: string;
  /** As `tocsin_queue`. */
  queueUrl: string;
  /** Process id of the server. */
  serverPid: number;
  discard: () => Promise<void>;
}

/** Memory for the data set; everything that makes a commit durable is as it is by default. */
const SETTINGS = { shared_buffers: '2GB', max_wal_size: '4GB', max_connections: '100' };

/** A migrated server of one's own. */
export async function benchDatabase(): Promise<BenchDatabase> {
  const dataDir = await mkdtemp(join(tmpdir(), 'tocsin-bench-'));
  const server = await startPostgres({ dataDir, settings: SETTINGS });
  const urlOf = (user: string): string => Object.assign(new URL(server.url), { username: user }).href;
  const [appUrl, queueUrl] = [urlOf('tocsin_app'), urlOf('tocsin_queue')];
  const discardServer = atEnd(async () => {
    await server.discard();
    await rm(dataDir, { recursive: true, force: true });
  });
  try {
    await migrate({ adminUrl: server.url, appUrl, queueUrl, log: () => {} });
    await migrateQueue({ url: queueUrl });
  } catch (error) {
    await discardServer();
    throw error;
  }
  const db = openDatabase({ url: appUrl, applicationName: 'tocsin-bench', maxConnections: 20 });
  return {
    db,
    adminUrl: server.url,
    appUrl,
    queueUrl,
    serverPid: server.pid,
    discard: async () => {
      await db.close();
      await discardServer();
    },
  };
}
