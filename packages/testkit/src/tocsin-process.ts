import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { createServer } from 'node:net';
import { join } from 'node:path';
import { until } from './until.ts';

const ROOT = join(import.meta.dirname, '../../..');
const END_WITH_PARENT = join(ROOT, 'tooling/end-with-parent.mjs');
/** Several at once on a machine that does other things too. */
const READY_MS = 60_000;

export interface TocsinProcess {
  app: string;
  pid: number;
  /** Where its `/readyz` and, for the API, everything else is served. */
  url: string;
  /** All it has written so far, for a failed test's message. */
  output: () => string;
  ready: () => Promise<void>;
  /** Resolves with the exit code, or the signal's name. */
  exited: Promise<number | string>;
  /** Sends the signal and waits for nothing: SIGSTOP, SIGCONT. */
  signal: (signal: NodeJS.Signals) => void;
  /** Sends the signal and waits for the end. */
  stop: (signal?: NodeJS.Signals) => Promise<number | string>;
}

/** Starts one of `apps/` as its own operating-system process, as production does. The caller stops it; a caller that is killed takes it along. */
export async function startTocsin(app: string, env: Record<string, string>, args: readonly string[] = []): Promise<TocsinProcess> {
  const port = Number(env['TOCSIN_PORT'] ?? (await freePort()));
  const child = spawn(process.execPath, ['--import', END_WITH_PARENT, join(ROOT, 'apps', app, 'src/main.ts'), ...args], {
    cwd: ROOT,
    env: {
      PATH: process.env['PATH'],
      NODE_ENV: 'test',
      TOCSIN_PORT: String(port),
      TOCSIN_LOG_LEVEL: 'warn',
      TOCSIN_PARENT_FD: '3',
      // Tests know all of their rules, unless they say where others are.
      ...('TOCSIN_RULES_FILE_FILE' in env ? {} : { TOCSIN_RULES_FILE: 'none' }),
      ...env,
    },
    stdio: ['ignore', 'pipe', 'pipe', 'pipe'],
  });
  const output = collect(child);
  const exited = once(child, 'exit').then(([code, signal]) => (code as number | null) ?? (signal as string));
  const url = `http://127.0.0.1:${port}`;
  return {
    app,
    pid: child.pid ?? 0,
    url,
    output,
    exited,
    ready: () => Promise.race([until(() => assertReady(url, output), READY_MS), exited.then((how) => neverReady(how, output))]),
    signal: (signal) => {
      child.kill(signal);
    },
    stop: (signal = 'SIGTERM') => {
      child.kill(signal);
      return exited;
    },
  };
}

/** A TCP port that was free a moment ago. */
export async function freePort(): Promise<number> {
  const server = createServer().listen(0, '127.0.0.1');
  await once(server, 'listening');
  const address = server.address();
  server.close();
  await once(server, 'close');
  if (address === null || typeof address === 'string') throw new Error('a TCP server has no port');
  return address.port;
}

function collect(child: ChildProcess): () => string {
  let text = '';
  const append = (chunk: Buffer): void => {
    text = (text + chunk.toString()).slice(-20_000);
  };
  child.stdout?.on('data', append);
  child.stderr?.on('data', append);
  return () => text;
}

async function assertReady(url: string, output: () => string): Promise<void> {
  const response = await fetch(`${url}/readyz`);
  if (!response.ok) throw new Error(`not ready: ${await response.text()}\n${output()}`);
}

function neverReady(how: number | string, output: () => string): never {
  throw new Error(`ended with ${how} before it was ready:\n${output()}`);
}
