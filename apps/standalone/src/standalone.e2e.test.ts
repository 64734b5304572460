import { apiClient } from '@tocsin/testkit';
import { spawn } from 'node:child_process';
import { readdirSync, readFileSync, rmSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test, vi } from 'vitest';
import { isAlive, newFolder, postgresOf, startIn } from '../test/start-in.ts';

const ROOT = join(import.meta.dirname, '../../..');
const STOP_MS = 10_000;

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

  test('the README: its first five minutes, to the letter, beside the rules that every tenant begins with', async () => {
    // Empty is unset: the file of the checkout.
    const standalone = await startIn(folder, [], { TOCSIN_RULES_FILE: '' });
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
    expect((await apiClient(second.url, apiKey).get<{ data: unknown[] }>('/api/v1/rules')).data.length).toBe(1 + 5);
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

      /** The alerts that messages of this type told of, by themselves or with others. */
      const told = async (type: string): Promise<string[]> => {
        const { data } = await api.get<{ data: { body: Message }[] }>('/api/v1/demo/echo');
        const messages = data.filter(({ body }) => body.type === type);
        return [...new Set(messages.flatMap(({ body: { data: of } }) => of.group?.alertIds ?? [of.alert.id]))];
      };
      await fetch(`${url}/api/v1/demo/break`, { method: 'POST' });
      await vi.waitFor(async () => expect((await told('alert.fired')).length).toBeGreaterThanOrEqual(2), {
        timeout: 60_000,
        interval: 500,
      });
      await fetch(`${url}/api/v1/demo/heal`, { method: 'POST' });
      await vi.waitFor(
        async () =>
          expect((await api.get<{ data: { status: string }[] }>('/api/v1/alerts')).data.every((alert) => alert.status === 'resolved')).toBe(
            true,
          ),
        { timeout: 90_000, interval: 500 },
      );
      await vi.waitFor(async () => expect(await told('alert.resolved')).toEqual(expect.arrayContaining(await told('alert.fired'))), {
        timeout: 45_000,
        interval: 250,
      });
    } finally {
      await demo.stop();
    }
    expect(readdirSync(folder)).toEqual(['.tocsin']);
  }, 240_000);
});

interface Message {
  type: string;
  data: { alert: { id: string }; group?: { alertIds: string[] } };
}

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
