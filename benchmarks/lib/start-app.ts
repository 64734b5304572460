import { freePort } from '@tocsin/testkit';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { type Started, startProcess } from './start-process.ts';

const READY_MS = 30_000;

export interface App extends Started {
  url: string;
  port: number;
}

/** One of `apps/` as a process of its own, as in production. Resolves once it is ready. */
export async function startApp(app: string, env: Record<string, string>): Promise<App> {
  const port = await freePort();
  const started = startProcess(process.execPath, [join(import.meta.dirname, '../../apps', app, 'src/main.ts')], {
    env: {
      PATH: process.env['PATH'],
      NODE_ENV: 'production',
      TOCSIN_LOG_LEVEL: 'warn',
      TOCSIN_PORT: String(port),
      TOCSIN_RULES_FILE: 'none',
      ...env,
    },
  });
  const url = `http://127.0.0.1:${port}`;
  await untilReady(url, started);
  return { ...started, url, port };
}

/** Throws, with what the process wrote, when it ends or stays unready; it is stopped then. */
export async function untilReady(url: string, { exited, output, stop }: Started): Promise<void> {
  let hasEnded = false;
  void exited.then(() => (hasEnded = true));
  const giveUpAtMs = performance.now() + READY_MS;
  const isReady = (): Promise<boolean> =>
    fetch(`${url}/readyz`).then(
      ({ ok }) => ok,
      () => false,
    );
  while (!(await isReady())) {
    if (hasEnded || performance.now() > giveUpAtMs) {
      await stop();
      throw new Error(`not ready:\n${output()}`);
    }
    await sleep(10);
  }
}
