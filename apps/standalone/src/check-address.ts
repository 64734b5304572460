import { ConfigError, type ConfigProblem } from '@tocsin/runtime';
import { once } from 'node:events';
import { createServer } from 'node:net';
import { reachableUrl } from './reachable-url.ts';

const PROBE_MS = 1_000;

/** Asked first, so that an address nobody can listen on is told before anything else is started. Throws ConfigError. */
export async function checkAddress(host: string, port: number): Promise<void> {
  const server = createServer();
  try {
    server.listen({ host, port, exclusive: true });
    await once(server, 'listening');
  } catch (error) {
    const code = error instanceof Error && 'code' in error ? String(error.code) : '';
    const problem = await problemOf(code, host, port);
    if (problem === null) throw error;
    throw new ConfigError([problem]);
  } finally {
    server.close();
  }
}

async function problemOf(code: string, host: string, port: number): Promise<ConfigProblem | null> {
  switch (code) {
    case 'EADDRINUSE': {
      const owner = (await isTocsin(reachableUrl(host, port))) ? 'which Tocsin already serves' : 'which another program uses';
      return {
        variable: 'TOCSIN_PORT',
        problem: `is ${port}, ${owner} on ${host}: set it to a free port, as in TOCSIN_PORT=8090 npm start`,
      };
    }
    case 'EACCES':
      return { variable: 'TOCSIN_PORT', problem: `is ${port}, which this user may not listen on: set it to one from 1024 on` };
    case 'ENOTFOUND':
    case 'EAI_AGAIN':
    case 'EADDRNOTAVAIL':
    case 'EINVAL':
      return {
        variable: 'TOCSIN_HOST',
        problem: 'is no address of this machine: 127.0.0.1 serves this machine alone, 0.0.0.0 everybody who can reach it',
      };
    default:
      return null;
  }
}

async function isTocsin(url: string): Promise<boolean> {
  try {
    const answer = await fetch(url, { signal: AbortSignal.timeout(PROBE_MS), redirect: 'manual' });
    return ((await answer.json()) as { name?: unknown } | null)?.name === 'Tocsin';
  } catch {
    return false;
  }
}
