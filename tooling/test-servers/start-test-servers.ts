import { join } from 'node:path';
import { startPostgres } from '@tocsin/embedded-postgres';
import { redisProgram, startRedis } from './start-redis.ts';

const CACHE = join(import.meta.dirname, '../../.cache');

/** A crash of the machine may cost these data; nobody would miss them. */
const POSTGRES_SETTINGS = { max_connections: '400', shared_buffers: '128MB', fsync: 'off', full_page_writes: 'off' };

export interface TestServers {
  /**
   * What suites find their servers by: the URLs of Postgres and Redis, and the program of the latter for suites that kill
   * their own. Redis's two are missing where none could be had.
   */
  env: Record<string, string>;
  stop: () => Promise<void>;
}

/** Starts what the environment does not name already. Two runs at once in one checkout share the Postgres. */
export async function startTestServers(log: (line: string) => void): Promise<TestServers> {
  const started = new AsyncDisposableStack();
  const env: Record<string, string> = { TOCSIN_TEST_SERVERS: 'started' };
  try {
    if (process.env['TOCSIN_TEST_POSTGRES_URL'] === undefined) {
      const postgres = await startPostgres({ dataDir: join(CACHE, 'test-postgres'), port: 0, settings: POSTGRES_SETTINGS });
      started.defer(postgres.discard);
      env['TOCSIN_TEST_POSTGRES_URL'] = postgres.url;
    }
    const redisServer = process.env['TOCSIN_TEST_REDIS_SERVER'] ?? redisProgram(join(CACHE, 'redis'), log);
    if (redisServer !== null) env['TOCSIN_TEST_REDIS_SERVER'] = redisServer;
    if (redisServer !== null && process.env['TOCSIN_TEST_REDIS_URL'] === undefined) {
      const redis = await startRedis(redisServer);
      started.defer(redis.stop);
      env['TOCSIN_TEST_REDIS_URL'] = redis.url;
    }
  } catch (error) {
    await started.disposeAsync();
    throw error;
  }
  return { env, stop: () => started.disposeAsync() };
}
