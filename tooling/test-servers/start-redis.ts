import { spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { connect, createServer, type AddressInfo } from 'node:net';
import { once } from 'node:events';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { fetchRedis, type RedisProgram } from './fetch-redis.ts';
import { spawnBound } from './spawn-bound.ts';

export interface TestRedis {
  url: string;
  stop: () => Promise<void>;
}

/** A private Redis on a free port that keeps nothing on disk. Null when this machine has none and none can be fetched. */
export async function startRedis(cacheDir: string, log: (line: string) => void): Promise<TestRedis | null> {
  const program = onPath('redis-server') ?? onPath('valkey-server') ?? fetchRedis(cacheDir, log);
  if (program === null) return null;
  const dir = mkdtempSync(join(tmpdir(), 'tocsin-redis-'));
  const port = await freePort();
  const flags = ['--port', String(port), '--bind', '127.0.0.1', '--dir', dir, '--save', '', '--appendonly', 'no', '--maxmemory-policy', 'noeviction'];
  const server = spawnBound(program.command, flags, { env: { ...process.env, ...program.env } });
  const stop = async (): Promise<void> => {
    await server.stop();
    rmSync(dir, { recursive: true, force: true });
  };
  const deadline = performance.now() + 10_000;
  while (!(await answersPing(port))) {
    if (server.hasEnded() || performance.now() > deadline) {
      await stop();
      throw new Error(`${program.command} did not start: ${server.lastWords()}`);
    }
    await sleep(20);
  }
  return { url: `redis://127.0.0.1:${port}`, stop };
}

function onPath(command: string): RedisProgram | null {
  return spawnSync(command, ['--version'], { stdio: 'ignore' }).status === 0 ? { command, env: {} } : null;
}

export async function freePort(): Promise<number> {
  const server = createServer().listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as AddressInfo;
  server.close();
  await once(server, 'close');
  return port;
}

function answersPing(port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = connect(port, '127.0.0.1', () => socket.write('PING\r\n'));
    const answer = (isUp: boolean): void => {
      socket.destroy();
      resolve(isUp);
    };
    socket.setTimeout(1_000, () => answer(false));
    socket.once('error', () => answer(false));
    socket.once('data', (data) => answer(data.toString().startsWith('+PONG')));
  });
}
