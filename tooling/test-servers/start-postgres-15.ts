import { execFileSync, spawnSync } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { chmodSync, chownSync, existsSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import postgres from 'postgres';
import { freePort } from './free-port.ts';
import { spawnBound } from './spawn-bound.ts';
import type { TestServer } from './start-redis.ts';

/** Where Debian and Homebrew put the oldest PostgreSQL that is supported. */
const BIN_DIRS = ['/usr/lib/postgresql/15/bin', '/opt/homebrew/opt/postgresql@15/bin', '/usr/local/opt/postgresql@15/bin'];

/** A private PostgreSQL 15 in a temporary folder. Null when this machine has none. */
export async function startPostgres15(): Promise<TestServer | null> {
  const bin = BIN_DIRS.find((dir) => existsSync(join(dir, 'postgres')));
  if (bin === undefined) return null;
  const user = unprivileged();
  const dir = mkdtempSync(join(tmpdir(), 'tocsin-postgres-15-'));
  chmodSync(dir, 0o700);
  const password = randomBytes(18).toString('base64url');
  const passwordFile = join(dir, 'password');
  writeFileSync(passwordFile, password, { mode: 0o600 });
  if (user !== null) for (const path of [dir, passwordFile]) chownSync(path, user.uid, user.gid);

  const init = ['-D', join(dir, 'data'), '-U', 'postgres', '-A', 'scram-sha-256', `--pwfile=${passwordFile}`, '-E', 'UTF8', '--locale=C'];
  const made = spawnSync(join(bin, 'initdb'), init, { ...user, cwd: '/', encoding: 'utf8' });
  if (made.status !== 0) throw new Error(`PostgreSQL 15: ${made.stderr}`);

  const port = await freePort();
  const settings = [
    `port=${port}`,
    'listen_addresses=127.0.0.1',
    'unix_socket_directories=',
    'max_connections=400',
    'fsync=off',
    'full_page_writes=off',
  ];
  const server = spawnBound(
    join(bin, 'postgres'),
    ['-D', join(dir, 'data'), ...settings.flatMap((setting) => ['-c', setting])],
    user ?? {},
  );
  const stop = async (): Promise<void> => {
    await server.stop();
    rmSync(dir, { recursive: true, force: true });
  };
  const url = `postgres://postgres:${password}@127.0.0.1:${port}/postgres`;
  const deadline = performance.now() + 20_000;
  while (!(await answers(url))) {
    if (server.hasEnded() || performance.now() > deadline) {
      await stop();
      throw new Error(`PostgreSQL 15 did not start: ${server.lastWords()}`);
    }
    await sleep(50);
  }
  return { url, stop };
}

/** PostgreSQL refuses to run as root. Null when this process is not. */
function unprivileged(): { uid: number; gid: number } | null {
  if (process.getuid?.() !== 0) return null;
  const id = (flag: string): number => Number(execFileSync('id', [flag, 'postgres'], { stdio: ['ignore', 'pipe', 'inherit'] })) | 0;
  return { uid: id('-u'), gid: id('-g') };
}

async function answers(url: string): Promise<boolean> {
  const sql = postgres(url, { max: 1, connect_timeout: 2 });
  return await sql`select 1`
    .then(
      () => true,
      () => false,
    )
    .finally(() => sql.end({ timeout: 1 }));
}
