import { execFileSync, fork, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { chmodSync, existsSync, mkdirSync, mkdtempSync, readFileSync, renameSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { createServer, type AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import postgres from 'postgres';
import { afterEach, beforeEach, describe, expect, onTestFinished, test, vi } from 'vitest';
import { startPostgres, type PostgresServer } from './index.ts';

const IS_ROOT = process.getuid?.() === 0;
const STARTER = join(import.meta.dirname, '../test/starter.ts');

let parent: string;
let dataDir: string;
let started: PostgresServer[];

beforeEach(() => {
  parent = mkdtempSync(join(tmpdir(), 'tocsin-embedded-'));
  chmodSync(parent, 0o755);
  dataDir = join(parent, 'postgres');
  started = [];
});

afterEach(async () => {
  for (const server of started) await server.discard();
  chmodSync(parent, 0o755);
  rmSync(parent, { recursive: true });
});

async function start(settings: Record<string, string> = {}, port = 0): Promise<PostgresServer> {
  const server = await startPostgres({ dataDir, port, settings });
  started.push(server);
  return server;
}

describe('a start on an empty folder', () => {
  test('gives a superuser on PostgreSQL 18, on the loopback alone', async () => {
    const server = await start();
    expect(await query(server.url, 'select usesuper as value from pg_user where usename = current_user')).toBe(true);
    expect(await query(server.url, `select current_setting('listen_addresses') as value`)).toBe('127.0.0.1');
    expect(await query(server.url, `select current_setting('server_version_num')::int / 10000 as value`)).toBe(18);
    expect(server.reused).toBe(false);
  });

  test('guards the server with a password of its own that nobody else may read', async () => {
    const server = await start();
    const file = join(server.dir, 'password');
    expect(statSync(file).mode & 0o777).toBe(0o600);
    expect(new URL(server.url).password).toBe(readFileSync(file, 'utf8').trim());
    await expect(query(server.url.replace(/:[^:@]+@/, ':wrong@'), 'select 1 as value')).rejects.toThrow(/password authentication failed/);
  });

  test('lets the caller override its settings', async () => {
    const server = await start({ max_connections: '33' });
    expect(await query(server.url, `select current_setting('max_connections') as value`)).toBe('33');
  });

  test('makes the database anew when an earlier start was killed while making it', async () => {
    await (await start()).discard();
    mkdirSync(join(dataDir, 'cluster.interrupted', 'base'), { recursive: true });
    writeFileSync(join(dataDir, 'password'), 'of the interrupted start');
    expect(await query((await start()).url, 'select 1 as value')).toBe(1);
    expect(existsSync(join(dataDir, 'cluster.interrupted'))).toBe(false);
  });
});

test('what was committed is there after a stop and a start', async () => {
  const first = await start();
  await query(first.url, 'create table kept as select 7 as value');
  await first.stop();
  expect(isAlive(first.pid)).toBe(false);
  const second = await start();
  expect(await query(second.url, 'select value from kept')).toBe(7);
});

test('takes another port when the wanted one is busy', async () => {
  const busy = createServer().listen(0, '127.0.0.1');
  await once(busy, 'listening');
  onTestFinished(() => void busy.close());
  const { port } = busy.address() as AddressInfo;
  const server = await start({}, port);
  expect(server.port).not.toBe(port);
  expect(await query(server.url, 'select 1 as value')).toBe(1);
});

describe('a server that has ended', () => {
  test('is started once more for the same URL, with what was committed', async () => {
    const server = await start();
    await query(server.url, 'create table kept as select 7 as value');
    const before = server.pid;
    process.kill(before, 'SIGKILL');
    await vi.waitUntil(() => !server.isRunning(), { timeout: 45_000, interval: 5 });
    await server.relaunch();
    expect(server.isRunning()).toBe(true);
    expect(server.pid).not.toBe(before);
    expect(await query(server.url, 'select value from kept')).toBe(7);
    await server.stop();
    expect(isAlive(server.pid)).toBe(false);
  });

  test('is not started where nobody would find it, when its port was taken meanwhile', async () => {
    const server = await start();
    process.kill(server.pid, 'SIGKILL');
    await vi.waitUntil(() => !server.isRunning(), { timeout: 45_000, interval: 5 });
    // its children hold the port for a moment longer
    const thief = await vi.waitFor(async () => {
      const listening = createServer().listen(server.port, '127.0.0.1');
      await once(listening, 'listening');
      return listening;
    });
    onTestFinished(() => void thief.close());
    await expect(server.relaunch()).rejects.toThrow(`taken port ${server.port}`);
    expect(server.isRunning()).toBe(false);
  });
});

describe('two starters on one folder', () => {
  test('at the same moment end up on one server, whoever is first', async () => {
    const [one, other] = await Promise.all([start(), start()]);
    expect(one.pid).toBe(other.pid);
    expect([one.reused, other.reused].toSorted()).toEqual([false, true]);
  });

  test('the first to stop leaves the server to the other', async () => {
    const first = await start();
    const second = await start();
    await first.stop();
    expect(await query(second.url, 'select 1 as value')).toBe(1);
    await second.stop();
    expect(isAlive(second.pid)).toBe(false);
  });

  test('in two processes, too', async () => {
    const { child, pid } = await startElsewhere();
    const server = await start();
    expect(server).toMatchObject({ pid, reused: true });
    child.send('stop');
    await once(child, 'exit');
    expect(await query(server.url, 'select 1 as value')).toBe(1);
  });
});

describe('after kill -9', () => {
  test('of the starter, its orphaned server is used on, and stopped in the end', async () => {
    const { child, pid } = await startElsewhere();
    await kill(child);
    expect(isAlive(pid)).toBe(true);
    const server = await start();
    expect(server).toMatchObject({ pid, reused: true });
    await server.stop();
    expect(isAlive(pid)).toBe(false);
  });

  test('of the server, the next start recovers what was committed', async () => {
    const first = await start();
    await query(first.url, 'create table kept as select 7 as value');
    process.kill(first.pid, 'SIGKILL');
    const second = await start();
    expect(second.reused).toBe(false);
    expect(await query(second.url, 'select value from kept')).toBe(7);
  });

  test('of both at once, the next start recovers', async () => {
    const { child, pid } = await startElsewhere();
    process.kill(pid, 'SIGKILL');
    await kill(child);
    expect(await query((await start()).url, 'select 1 as value')).toBe(1);
  });

  test('of a starter that was only just making the database, the next one starts', async () => {
    const child = fork(STARTER, [dataDir]);
    await vi.waitUntil(() => existsSync(join(dataDir, 'password')), { timeout: 45_000, interval: 1 });
    await kill(child);
    expect(await query((await start()).url, 'select 1 as value')).toBe(1);
  });
});

describe('a stale postmaster.pid', () => {
  async function leaveRecord(pid: number): Promise<void> {
    const server = await start();
    const record = readFileSync(join(server.dir, 'cluster/postmaster.pid'), 'utf8');
    await server.stop();
    writeFileSync(join(server.dir, 'cluster/postmaster.pid'), record.replace(/^\d+/, String(pid)));
    if (IS_ROOT) execFileSync('chown', ['--reference', join(server.dir, 'cluster/PG_VERSION'), join(server.dir, 'cluster/postmaster.pid')]);
  }

  test('of a process that is gone does not keep the next start', async () => {
    const gone = fork(STARTER, ['--exit']);
    await once(gone, 'exit');
    await leaveRecord(gone.pid ?? 0);
    expect((await start()).reused).toBe(false);
  });

  test('whose pid is a stranger now is not taken for a server, nor is the stranger harmed', async () => {
    // The server's own user, where PostgreSQL by itself would refuse to start beside a living process of that number.
    const stranger = fork(STARTER, ['--idle'], IS_ROOT ? serverIds() : {});
    onTestFinished(() => void stranger.kill('SIGKILL'));
    await once(stranger, 'message');
    await leaveRecord(stranger.pid ?? 0);
    expect((await start()).reused).toBe(false);
    expect(isAlive(stranger.pid ?? 0)).toBe(true);
  });
});

describe.runIf(IS_ROOT)('started by root', () => {
  test('runs as somebody who is not, and says so', async () => {
    const server = await start();
    expect(statSync(`/proc/${server.pid}`).uid).toBe(serverIds().uid);
    expect(server.notes.join()).toContain('refuses to run as root');
  });

  test('keeps the files under /var/lib/tocsin when that user cannot reach the folder, says so, and finds them again, also where the folder was moved', async () => {
    chmodSync(parent, 0o700);
    const first = await start();
    expect(first.dir).toMatch(/^\/var\/lib\/tocsin\/postgres-/);
    onTestFinished(() => rmSync(first.dir, { recursive: true }));
    expect(first.notes.join()).toContain(first.dir);
    await query(first.url, 'create table kept as select 7 as value');
    await first.stop();
    chmodSync(parent, 0o755);
    renameSync(dataDir, `${dataDir}-moved`);
    dataDir = `${dataDir}-moved`;
    const second = await start();
    expect(second.dir).toBe(first.dir);
    expect(await query(second.url, 'select value from kept')).toBe(7);
    await second.stop();
    // Whoever deletes the folder begins anew.
    rmSync(dataDir);
    const third = await start();
    expect(third.dir).toBe(dataDir);
    await expect(query(third.url, 'select value from kept')).rejects.toThrow(/does not exist/);
  });
});

/** Starts the server from a process of its own, which lives until told to stop or killed. */
async function startElsewhere(): Promise<{ child: ChildProcess; pid: number }> {
  const child = fork(STARTER, [dataDir]);
  onTestFinished(() => void child.kill('SIGKILL'));
  const [message] = (await once(child, 'message')) as [{ pid: number }];
  return { child, pid: message.pid };
}

async function kill(child: ChildProcess): Promise<void> {
  child.kill('SIGKILL');
  await once(child, 'exit');
}

async function query(url: string, text: string): Promise<unknown> {
  const sql = postgres(url, { max: 1, onnotice: () => {} });
  try {
    return (await sql.unsafe(text))[0]?.['value'];
  } finally {
    await sql.end();
  }
}

function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return !(existsSync(`/proc/${pid}/stat`) && / Z /.test(readFileSync(`/proc/${pid}/stat`, 'utf8')));
  } catch {
    return false;
  }
}

function serverIds(): { uid: number; gid: number } {
  const id = (flag: string, name: string): number => Number(execFileSync('id', [flag, name], { stdio: ['ignore', 'pipe', 'ignore'] }));
  try {
    return { uid: id('-u', 'postgres'), gid: id('-g', 'postgres') };
  } catch {
    return { uid: id('-u', 'nobody'), gid: id('-g', 'nobody') };
  }
}
