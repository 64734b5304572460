import { apiClient, freePort, startTocsin } from '@tocsin/testkit';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { appendFileSync, existsSync, globSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test, vi } from 'vitest';
import { isAlive, newFolder, postgresOf, startIn } from '../test/start-in.ts';

describe('a start with troubles', () => {
  let folder: string;
  beforeAll(async () => {
    folder = newFolder('troubles');
    await (await startIn(folder)).stop();
  }, 120_000);
  afterAll(() => rmSync(folder, { recursive: true, force: true }));

  test('waits where a full disk has ended its PostgreSQL, and goes on by itself when there is space', async () => {
    const standalone = await startIn(folder);
    const log = join(folder, '.tocsin/postgres/server.log');
    // Backends that lose their server still write, at their own place in the log: the reason is to stay its end.
    appendFileSync(log, `${'\n'.repeat(8_000)}FATAL:  could not write to file "pg_wal/xlogtemp.7": No space left on device\n`);
    const killed = postgresOf(standalone);
    process.kill(killed, 'SIGKILL');
    await vi.waitFor(() => expect(standalone.output()).toContain('there is space again'), { timeout: 30_000, interval: 50 });
    expect(standalone.output()).toMatch(/the disk that holds .* is full/);
    await standalone.ready();
    const { apiKey } = standalone.credentials();
    expect(await apiClient(standalone.url, apiKey).get('/api/v1/rules')).toMatchObject({ data: [] });
    const postgres = postgresOf(standalone);
    expect(postgres).not.toBe(killed);
    expect(await standalone.stop()).toBe(0);
    expect(isAlive(postgres)).toBe(false);
  }, 120_000);

  test('names the variable at fault and exits 1', async () => {
    const taken = await freePort();
    const blocker = spawn(process.execPath, ['-e', `require('net').createServer().listen(${taken}, '127.0.0.1', () => console.log('up'))`]);
    await new Promise((resolve) => blocker.stdout.once('data', resolve));
    try {
      const refused = await startTocsin('standalone', { TOCSIN_DATA_DIR: join(folder, '.tocsin'), TOCSIN_PORT: String(taken) });
      expect(await refused.exited).toBe(1);
      expect(refused.output()).toContain('TOCSIN_PORT');
    } finally {
      blocker.kill();
    }
    for (const [variable, value, hint] of [
      ['TOCSIN_ALLOW_CIDRS', 'everywhere', 'is not valid'],
      ['TOCSIN_HOST', '192.0.2.1', 'is no address of this machine'],
      ['TOCSIN_DATA_DIR', join(import.meta.filename, 'data'), 'which is a file'],
    ] as const) {
      const wrong = await startTocsin('standalone', { TOCSIN_DATA_DIR: join(folder, '.tocsin'), [variable]: value });
      expect(await wrong.exited).toBe(1);
      expect(wrong.output()).toMatch(new RegExp(`^${variable} .*${hint}.*\n$`));
    }
  }, 120_000);

  test('says why its PostgreSQL does not start, and what to do', async () => {
    const dataDir = join(folder, '.tocsin');
    const version = join(dataDir, 'postgres/cluster/PG_VERSION');
    const made = readFileSync(version, 'utf8');
    writeFileSync(version, '17\n');
    const older = await startTocsin('standalone', { TOCSIN_DATA_DIR: dataDir });
    expect(await older.exited).toBe(1);
    expect(older.output()).toContain(`The database in ${dataDir} is one of PostgreSQL 17, and this Tocsin brings 18`);
    writeFileSync(version, made);
    const password = join(dataDir, 'postgres/password');
    renameSync(password, `${password}.away`);
    const locked = await startTocsin('standalone', { TOCSIN_DATA_DIR: dataDir });
    expect(await locked.exited).toBe(1);
    expect(locked.output()).toContain(`${password}, which opens the database beside it, is gone`);
    renameSync(`${password}.away`, password);
    for (const { output } of [older, locked]) expect(output()).not.toContain('"level"');
  }, 120_000);

  test('goes on with what is left where its own files were lost or damaged', async () => {
    const dataDir = join(folder, '.tocsin');
    writeFileSync(join(dataDir, 'credentials.json'), '{');
    const first = await startIn(folder);
    expect(await apiClient(first.url, first.credentials().apiKey).get('/api/v1/rules')).toMatchObject({ data: [] });
    expect(await first.stop()).toBe(0);
    writeFileSync(join(dataDir, 'secrets.json'), '{}');
    const damaged = await startTocsin('standalone', { TOCSIN_DATA_DIR: dataDir });
    expect(await damaged.exited).toBe(1);
    expect(damaged.output()).toContain('secrets.json is damaged: put it back from a backup, or delete it');
    rmSync(join(dataDir, 'secrets.json'));
    const second = await startIn(folder);
    expect(second.output()).toContain('secrets.json is gone, so new secrets are made');
    expect(await second.stop()).toBe(0);
  }, 120_000);

  test('says that a misspelt variable is not read, and what else it does not use', async () => {
    const env = { TOCSIN_DATA_DIR: join(folder, '.tocsin'), TOCSIN_PROT: '9000', TOCSIN_DATABASE_URL: 'postgres://me@db/x' };
    const standalone = await startTocsin('standalone', env, ['--help']);
    expect(await standalone.exited).toBe(0);
    expect(standalone.output()).toContain('npm start -- --demo');
    const started = await startIn(folder, [], env);
    expect(await started.stop()).toBe(0);
    expect(started.output()).toContain('TOCSIN_PROT is set, but nothing reads it. Did you mean TOCSIN_PORT?');
    expect(started.output()).toContain('TOCSIN_DATABASE_URL not used');
  }, 120_000);
});

describe('Ctrl-C in the middle of the first start', () => {
  test.each([
    ['while the database is made', (data: string) => globSync('postgres/cluster.*', { cwd: data }).length > 0],
    ['while PostgreSQL starts', (data: string) => existsSync(join(data, 'postgres/cluster/postmaster.pid'))],
    ['while the schema is made', (_data: string, output: string) => output.includes('preparing')],
  ])(
    'ends it in order, and no PostgreSQL stays behind: %s',
    async (_, isThere) => {
      const folder = newFolder('interrupted');
      const data = join(folder, '.tocsin');
      const env = { PATH: process.env['PATH'], NODE_ENV: 'test', TOCSIN_DATA_DIR: data, TOCSIN_PORT: String(await freePort()) };
      // A terminal tells everybody in its foreground's process group, so this start gets one of its own.
      const child = spawn(process.execPath, [join(import.meta.dirname, 'main.ts')], {
        env,
        detached: true,
        stdio: ['ignore', 'pipe', 'pipe'],
      });
      try {
        let output = '';
        for (const stream of [child.stdout, child.stderr]) stream.on('data', (chunk: Buffer) => (output += chunk.toString()));
        await vi.waitUntil(() => isThere(data, output), { timeout: 30_000, interval: 1 });
        process.kill(-(child.pid ?? 0), 'SIGINT');
        expect(await once(child, 'exit'), output).toEqual([0, null]);
        expect(output).not.toContain('"level"');
        expect(existsSync(join(data, 'postgres/cluster/postmaster.pid'))).toBe(false);
      } finally {
        child.kill('SIGKILL');
        rmSync(folder, { recursive: true, force: true });
      }
    },
    60_000,
  );
});
