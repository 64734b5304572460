import { existsSync, rmSync } from 'node:fs';
import { mkdtemp } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { startPostgres } from '@tocsin/embedded-postgres';

let own: Promise<string> | undefined;

/** Superuser URL of the server the tests share: the test runner's, else an embedded one for as long as this process lives. */
export function testServerUrl(): Promise<string> {
  const given = process.env.TOCSIN_TEST_POSTGRES_URL;
  if (given !== undefined && given !== '') return Promise.resolve(given);
  own ??= startOwn();
  return own;
}

async function startOwn(): Promise<string> {
  const dataDir = await mkdtemp(join(tmpdir(), 'tocsin-test-'));
  const server = await startPostgres({ dataDir });
  // nothing of it is to be kept, so it may end at once; an uncaught error comes by here too
  process.once('exit', () => {
    process.kill(server.pid, 'SIGQUIT');
    for (const dir of new Set([dataDir, server.dir])) removeWhileItEnds(dir);
  });
  return server.url;
}

/** rmSync stops short, without a word, when a file that it is about to remove is removed by the server. */
function removeWhileItEnds(dir: string): void {
  const pause = new Int32Array(new SharedArrayBuffer(4));
  for (let attempt = 0; attempt < 100 && existsSync(dir); attempt += 1) {
    rmSync(dir, { recursive: true, force: true });
    Atomics.wait(pause, 0, 0, 20);
  }
}
