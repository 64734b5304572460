import { mkdtemp, rm } from 'node:fs/promises';
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
  process.once('beforeExit', () => {
    void server.stop().then(async () => {
      await Promise.all([dataDir, server.dir].map((dir) => rm(dir, { recursive: true, force: true })));
    });
  });
  return server.url;
}
