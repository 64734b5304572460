import { execFileSync, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Redis } from 'ioredis';
import { freePort } from './tocsin-process.ts';

export interface RedisServer {
  url: string;
  /** FLUSHALL. */
  flush: () => Promise<void>;
  /** CONFIG SET. */
  configure: (name: string, value: string) => Promise<void>;
  /** SIGKILL, as a crash. */
  kill: () => Promise<void>;
  /** Starts it again where it was, with nothing of what it held. */
  restart: () => Promise<void>;
  close: () => Promise<void>;
}

/**
 * The program for a server of a suite's own: `TOCSIN_TEST_REDIS_SERVER`, or redis-server or valkey-server on the PATH.
 * Null when there is none; suites that kill or misconfigure their Redis are then skipped.
 */
export const redisProgram: string | null = findProgram();

/** A Redis that may be killed and configured at will. The caller closes it. */
export async function redisServer(settings: Readonly<Record<string, string>> = {}): Promise<RedisServer> {
  if (redisProgram === null) throw new Error('no redis-server on this machine');
  const program = redisProgram;
  const port = await freePort();
  const folder = await mkdtemp(join(tmpdir(), 'tocsin-redis-'));
  const url = `redis://127.0.0.1:${port}`;
  const options = { port: String(port), bind: '127.0.0.1', save: '', appendonly: 'no', dir: folder, ...settings };

  const start = async () => {
    const child = spawn(
      program,
      Object.entries(options).flatMap(([name, value]) => [`--${name}`, value]),
      { stdio: 'ignore' },
    );
    const client = new Redis(url, { retryStrategy: () => 20, maxRetriesPerRequest: null });
    client.on('error', () => undefined);
    await client.ping();
    client.disconnect();
    return child;
  };
  let child = await start();
  const kill = async (): Promise<void> => {
    if (child.exitCode !== null || child.signalCode !== null) return;
    const exited = once(child, 'exit');
    child.kill('SIGKILL');
    await exited;
  };
  const asked = async (ask: (client: Redis) => Promise<unknown>): Promise<void> => {
    const client = new Redis(url);
    await ask(client).finally(() => client.disconnect());
  };
  return {
    url,
    flush: () => asked((client) => client.flushall()),
    configure: (name, value) => asked((client) => client.config('SET', name, value)),
    kill,
    restart: async () => {
      await kill();
      child = await start();
    },
    close: async () => {
      await kill();
      await rm(folder, { recursive: true, force: true });
    },
  };
}

function findProgram(): string | null {
  const candidates = [process.env['TOCSIN_TEST_REDIS_SERVER'], 'redis-server', 'valkey-server'];
  for (const candidate of candidates) {
    if (candidate === undefined) continue;
    try {
      execFileSync(candidate, ['--version'], { stdio: 'ignore' });
      return candidate;
    } catch {
      continue;
    }
  }
  return null;
}
