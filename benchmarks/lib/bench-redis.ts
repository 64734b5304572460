import { freePort, redisProgram } from '@tocsin/testkit';
import { once } from 'node:events';
import { mkdtemp, rm } from 'node:fs/promises';
import { connect } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { startProcess } from './start-process.ts';

export interface BenchRedis {
  url: string;
  pid: number;
  stop: () => Promise<void>;
}

/** A Redis of one's own that brings its log to disk every second. Null: there is no redis-server on this machine. */
export async function benchRedis(): Promise<BenchRedis | null> {
  if (redisProgram === null) return null;
  const folder = await mkdtemp(join(tmpdir(), 'tocsin-bench-redis-'));
  const port = await freePort();
  const settings = { port: String(port), bind: '127.0.0.1', dir: folder, save: '', appendonly: 'yes', appendfsync: 'everysec' };
  const server = startProcess(
    redisProgram,
    Object.entries(settings).flatMap(([name, value]) => [`--${name}`, value]),
  );
  const stop = async (): Promise<void> => {
    await server.stop();
    await rm(folder, { recursive: true, force: true });
  };
  try {
    await untilListening(port);
  } catch (error) {
    await stop();
    throw new Error(`Redis did not start:\n${server.output()}`, { cause: error });
  }
  return { url: `redis://127.0.0.1:${port}`, pid: server.pid, stop };
}

async function untilListening(port: number): Promise<void> {
  for (let triesLeft = 200; ; triesLeft--) {
    const socket = connect(port, '127.0.0.1');
    try {
      await once(socket, 'connect');
      return;
    } catch (error) {
      if (triesLeft === 0) throw error;
      await sleep(25);
    } finally {
      socket.destroy();
    }
  }
}
