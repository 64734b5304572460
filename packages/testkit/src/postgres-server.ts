import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { startPostgres } from '@tocsin/embedded-postgres';
import { until } from './until.ts';

export interface PostgresServer {
  /** Superuser URL; the same after a restart. */
  url: string;
  /** SIGQUIT ends it as `pg_ctl -m immediate` does; SIGKILL leaves its backends to find out by themselves. */
  end: (signal: 'SIGQUIT' | 'SIGKILL') => Promise<void>;
  /** Starts it again where it was, once it has ended. */
  start: () => Promise<void>;
  close: () => Promise<void>;
}

/** Process crashes cost nothing that was committed; a crash of the machine would. */
const SETTINGS = { max_connections: '300', shared_buffers: '128MB', fsync: 'off', full_page_writes: 'off' };

/** A PostgreSQL that may be crashed and configured at will. The caller closes it. */
export async function postgresServer(settings: Readonly<Record<string, string>> = {}): Promise<PostgresServer> {
  const dataDir = await mkdtemp(join(tmpdir(), 'tocsin-postgres-'));
  const launch = (port: number) => startPostgres({ dataDir, port, settings: { ...SETTINGS, ...settings } });
  let server = await launch(0);
  const { url, port } = server;
  return {
    url,
    end: async (signal) => {
      process.kill(server.pid, signal);
      await until(() => {
        if (server.isRunning()) throw new Error('PostgreSQL goes on running');
      }, 30_000);
      await server.stop();
    },
    start: async () => {
      server = await launch(port);
      if (server.port !== port) throw new Error(`port ${port} was taken meanwhile`);
    },
    close: async () => {
      await server.discard();
      for (const dir of new Set([dataDir, server.dir])) await rm(dir, { recursive: true, force: true });
    },
  };
}
