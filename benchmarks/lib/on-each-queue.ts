import type { QueueBackend } from '@tocsin/queue';
import type { BenchDatabase } from './bench-database.ts';
import { benchRedis } from './bench-redis.ts';

export interface BenchQueue {
  backend: QueueBackend;
  url: string;
  /** Its server's process, where that is not the database's. */
  pid: number | null;
}

/** Does `work` with queues on each backend there is on this machine, one after the other. */
export async function onEachQueue({ queueUrl }: BenchDatabase, work: (queue: BenchQueue) => Promise<void>): Promise<void> {
  const redis = await benchRedis();
  try {
    if (redis === null) console.error('no redis-server on the PATH: nothing is measured on Redis');
    else await work({ backend: 'redis', url: redis.url, pid: redis.pid });
    await work({ backend: 'postgres', url: queueUrl, pid: null });
  } finally {
    await redis?.stop();
  }
}
