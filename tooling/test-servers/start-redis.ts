import { spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { connect } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { fetchRedis } from './fetch-redis.ts';
import { freePort } from './free-port.ts';
import { spawnBound } from './spawn-bound.ts';

export interface TestServer {
  url: string;
  stop: () => Promise<void>;
}

/** The server program of this machine, else one fetched into `cacheDir`, else null. */
export function redisProgram(cacheDir: string, log: (line: string) => void): string | null {
  const isThere = (program: string): boolean => spawnSync(program, ['--version'], { stdio: 'ignore' }).status === 0;
  return ['redis-server', 'valkey-server'].find(isThere) ?? fetchRedis(cacheDir, log);
}

/** A private Redis on a free port that keeps nothing on disk. */
export async function startRedis(program: string): Promise<TestServer> {
  const dir = mkdtempSync(join(tmpdir(), 'tocsin-redis-'));
  const port = await freePort();
  const flags = [
    '--port',
    String(port),
    '--bind',
    '127.0.0.1',
    '--dir',
    dir,
    '--save',
    '',
    '--appendonly',
    'no',
    '--maxmemory-policy',
    'noeviction',
  ];
  const server = spawnBound(program, flags);
  const stop = async (): Promise<void> => {
    await server.stop();
    rmSync(dir, { recursive: true, force: true });
  };
  const deadline = performance.now() + 10_000;
  while (!(await answersPing(port))) {
    if (server.hasEnded() || performance.now() > deadline) {
      await stop();
      throw new Error(`${program} did not start: ${server.lastWords()}`);
    }
    await sleep(20);
  }
  return { url: `redis://127.0.0.1:${port}`, stop };
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
