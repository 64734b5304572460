import { apiClient, freePort, startTocsin, type TocsinProcess } from '@tocsin/testkit';
import { execFileSync, spawn } from 'node:child_process';
import { once } from 'node:events';
import { appendFileSync, chmodSync, existsSync, globSync, mkdtempSync, readdirSync, readFileSync, rmSync, statSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test, vi } from 'vitest';

interface Credentials {
  url: string;
  tenantId: string;
  apiKey: string;
  schedulerSecret: string;
}

const ROOT = join(import.meta.dirname, '../../..');
const STOP_MS = 10_000;

/** What `npm start` runs, in a folder of its own as if it were the checkout. */
async function startIn(
  folder: string,
  args: readonly string[] = [],
  env: Record<string, string> = {},
): Promise<TocsinProcess & { credentials: () => Credentials }> {
  const dataDir = join(folder, '.tocsin');
  const standalone = await startTocsin('standalone', { TOCSIN_DATA_DIR: dataDir, ...env }, args);
  await vi.waitFor(() => expect(standalone.output()).toContain('Ctrl-C'), { timeout: 60_000, interval: 50 });
  await standalone.ready();
  return { ...standalone, credentials: () => JSON.parse(readFileSync(join(dataDir, 'credentials.json'), 'utf8')) as Credentials };
}

/** The server that this start launched, and has not merely joined. */
function postgresOf({ pid }: TocsinProcess): number {
  const lines = execFileSync('ps', ['-eo', 'pid=,ppid=,args='], { encoding: 'utf8' }).split('\n');
  const server = lines
    .map((line) => line.trim().split(/\s+/))
    .find(([, parent, program]) => parent === String(pid) && program?.endsWith('/bin/postgres'));
  if (server === undefined) throw new Error(`process ${pid} has launched no PostgreSQL`);
  return Number(server[0]);
}

const isAlive = (pid: number): boolean => existsSync(`/proc/${pid}`) && !readFileSync(`/proc/${pid}/stat`, 'utf8').includes(') Z ');

/** Where the server's unprivileged user can get to as well. */
function newFolder(name: string): string {
  const folder = mkdtempSync(join(tmpdir(), `tocsin-${name}-`));
  chmodSync(folder, 0o755);
  return folder;
}

describe('npm start', () => {
  let folder: string;
  beforeAll(() => {
    folder = newFolder('start');
  });
  afterAll(() => rmSync(folder, { recursive: true, force: true }));

  test('serves, leaves credentials only their owner can read, and stops cleanly', async () => {
    const standalone = await startIn(folder);
    const file = join(folder, '.tocsin/credentials.json');
    expect(statSync(file).mode & 0o777).toBe(0o600);
    const credentials = standalone.credentials();
    expect(Object.keys(credentials)).toEqual(['url', 'tenantId', 'apiKey', 'schedulerSecret']);
    expect(credentials.url).toBe(standalone.url);
    expect(await apiClient(credentials.url, credentials.apiKey).get('/api/v1/rules')).toMatchObject({ data: [] });
    expect((await fetch(`${credentials.url}/api/v1/demo/echo`)).status).toBe(404);

    const postgres = postgresOf(standalone);
    const startedMs = performance.now();
    expect(await standalone.stop('SIGINT'), standalone.output()).toBe(0);
    expect(performance.now() - startedMs).toBeLessThan(STOP_MS);
    expect(isAlive(postgres)).toBe(false);
  }, 120_000);

  test('the README: its first five minutes, to the letter', async () => {
    const standalone = await startIn(folder);
    try {
      const [setUp = '', ...blocks] = firstFiveMinutes();
      const makes = blocks.slice(0, 3);
      const looks = blocks.slice(3, 5);
      const ends = blocks.slice(5);
      const made = await bash(folder, [setUp, ...makes].join('\n'));
      expect(made).toContain('"accepted":2');
      expect(made).toContain('"key":"slow-calls"');

      const { url, apiKey } = standalone.credentials();
      const api = apiClient(url, apiKey);
      const hears = (messages: number): Promise<void> =>
        vi.waitFor(async () => expect((await api.get<{ data: unknown[] }>('/api/v1/inbox')).data.length).toBe(messages), {
          timeout: 40_000,
          interval: 250,
        });
      await hears(1);
      const seen = await bash(folder, [setUp, ...looks].join('\n'));
      expect(seen).toMatch(/"value": 1932/);
      expect(seen).toContain('p95 latency is 1,932 ms (limit > 1,000 ms)');
      expect(seen).toContain('"state": "firing"');
      expect(seen).toContain('"outcome"');
      expect(await bash(folder, [setUp, ...ends].join('\n'))).toContain('"accepted":60');
      await hears(2);
      expect(await api.get('/api/v1/alerts')).toMatchObject({ data: [{ status: 'resolved' }] });
    } finally {
      await standalone.stop();
    }
  }, 120_000);

  test('recovers by itself after kill -9 of every process', async () => {
    const first = await startIn(folder);
    const { apiKey } = first.credentials();
    process.kill(postgresOf(first), 'SIGKILL');
    await first.stop('SIGKILL');
    const second = await startIn(folder);
    expect(second.credentials().apiKey).toBe(apiKey);
    expect((await apiClient(second.url, apiKey).get<{ data: unknown[] }>('/api/v1/rules')).data.length).toBe(1);
    const orphan = postgresOf(second);
    await second.stop('SIGKILL');
    expect(isAlive(orphan)).toBe(true);
    // PostgreSQL is an orphan now; the third start takes it over.
    const third = await startIn(folder);
    expect(await third.stop()).toBe(0);
    expect(isAlive(orphan)).toBe(false);
  }, 180_000);

  test('ends when its PostgreSQL is killed, and recovers at the next start', async () => {
    const first = await startIn(folder);
    process.kill(postgresOf(first), 'SIGKILL');
    expect(await first.exited).toBe(1);
    expect(first.output()).toContain('PostgreSQL has ended');
    const second = await startIn(folder);
    expect(await second.stop()).toBe(0);
  }, 120_000);

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
    expect((await apiClient(standalone.url, apiKey).get<{ data: unknown[] }>('/api/v1/rules')).data.length).toBe(1);
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
      ['TOCSIN_DATA_DIR', join(ROOT, 'README.md', 'data'), 'which is a file'],
    ] as const) {
      const wrong = await startTocsin('standalone', { TOCSIN_DATA_DIR: join(folder, '.tocsin'), [variable]: value });
      expect(await wrong.exited).toBe(1);
      expect(wrong.output()).toMatch(new RegExp(`^${variable} .*${hint}.*\n$`));
    }
  }, 60_000);

  test('says that a misspelt variable is not read, and what else it does not use', async () => {
    const env = { TOCSIN_DATA_DIR: join(folder, '.tocsin'), TOCSIN_PROT: '9000', TOCSIN_DATABASE_URL: 'postgres://me@db/x' };
    const standalone = await startTocsin('standalone', env, ['--help']);
    expect(await standalone.exited).toBe(0);
    expect(standalone.output()).toContain('npm start -- --demo');
    const started = await startIn(folder, [], env);
    expect(await started.stop()).toBe(0);
    expect(started.output()).toContain('TOCSIN_PROT is set, but nothing reads it. Did you mean TOCSIN_PORT?');
    expect(started.output()).toContain('TOCSIN_DATABASE_URL not used');
  }, 60_000);
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

describe('npm start -- --demo', () => {
  let folder: string;
  beforeAll(() => {
    folder = newFolder('demo');
  });
  afterAll(() => rmSync(folder, { recursive: true, force: true }));

  test('fires within a minute of breaking the shop, resolves after healing it, and shows what was sent', async () => {
    const demo = await startIn(folder, ['--demo']);
    try {
      const { url, apiKey } = demo.credentials();
      const api = apiClient(url, apiKey);
      const now = Date.now();
      const { series } = await api.post<{ series: { points: { value: number }[] }[] }>('/api/v1/metrics/query', {
        metric: 'throughput',
        aggregation: 'count',
        window: '1h',
        from: new Date(now - 20 * 3_600_000).toISOString(),
        to: new Date(now - 3_600_000).toISOString(),
        step: '1h',
      });
      expect(series[0]?.points.filter((point) => point.value > 2_000).length).toBeGreaterThan(15);

      const told = async (type: string): Promise<number> => {
        const { data } = await api.get<{ data: { body: { type: string } }[] }>('/api/v1/demo/echo');
        return data.filter((message) => message.body.type === type).length;
      };
      await fetch(`${url}/api/v1/demo/break`, { method: 'POST' });
      await vi.waitFor(async () => expect(await told('alert.fired')).toBeGreaterThanOrEqual(2), { timeout: 60_000, interval: 500 });
      await fetch(`${url}/api/v1/demo/heal`, { method: 'POST' });
      await vi.waitFor(
        async () =>
          expect((await api.get<{ data: { status: string }[] }>('/api/v1/alerts')).data.every((alert) => alert.status === 'resolved')).toBe(
            true,
          ),
        { timeout: 90_000, interval: 500 },
      );
      await vi.waitFor(async () => expect(await told('alert.resolved')).toBe(await told('alert.fired')), {
        timeout: 10_000,
        interval: 250,
      });
    } finally {
      await demo.stop();
    }
    expect(readdirSync(folder)).toEqual(['.tocsin']);
  }, 240_000);
});

/** The shell blocks of that section, in order. */
function firstFiveMinutes(): string[] {
  const section = readFileSync(join(ROOT, 'README.md'), 'utf8').split('## The first five minutes')[1]?.split('\n## ')[0] ?? '';
  return [...section.matchAll(/```sh\n([\s\S]*?)```/g)].map((match) => match[1] ?? '');
}

function bash(cwd: string, script: string): Promise<string> {
  const child = spawn('bash', ['-e', '-o', 'pipefail', '-c', script], { cwd, stdio: ['ignore', 'pipe', 'pipe'] });
  let output = '';
  child.stdout.on('data', (chunk: Buffer) => (output += chunk.toString()));
  child.stderr.on('data', (chunk: Buffer) => (output += chunk.toString()));
  return new Promise((resolve, reject) =>
    child.once('close', (code) => (code === 0 ? resolve(output) : reject(new Error(`exit ${code}: ${output}`)))),
  );
}
