import { migrateQueue } from '@tocsin/queue';
import { apiClient, newTenant, startTocsin, testDatabase, type TestDatabase } from '@tocsin/testkit';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test, vi } from 'vitest';
import { ADMIN_KEY } from './open-world.ts';

let database: TestDatabase;

beforeAll(async () => {
  database = await testDatabase();
  await migrateQueue({ url: database.queueUrl });
});
afterAll(() => database.drop());

test('the API starts alone from its variables, serves, answers what is under way and stops when told', async () => {
  const api = await startTocsin('api', {
    TOCSIN_DATABASE_URL: database.appUrl,
    TOCSIN_QUEUE_URL: database.queueUrl,
    TOCSIN_SECRET_KEY: 's'.repeat(32),
    TOCSIN_ADMIN_KEY: ADMIN_KEY,
  });
  try {
    await api.ready();
    const { api: tenant } = await newTenant(api.url, ADMIN_KEY, 'alone');
    expect(await tenant.post('/api/v1/events', { events: [{ name: 'x' }] })).toEqual({ accepted: 1, rejected: [] });
    const underWay = tenant.post('/api/v1/events', { events: [{ name: 'y' }] });
    const [answer, code] = await Promise.all([underWay, underWay.then(() => api.stop())]);
    expect([answer, code]).toEqual([{ accepted: 1, rejected: [] }, 0]);
    await expect(apiClient(api.url, ADMIN_KEY).get('/healthz')).rejects.toThrow('fetch failed');
  } finally {
    await api.stop('SIGKILL');
  }
});

test('without a variable it ends at once with exit code 1 and the variable’s name, and never its value', async () => {
  const api = await startTocsin('api', {
    TOCSIN_DATABASE_URL: database.appUrl,
    TOCSIN_QUEUE_URL: database.queueUrl,
    TOCSIN_ADMIN_KEY: 'hunter2',
  });
  expect(await api.exited).toBe(1);
  expect(api.output()).toContain('TOCSIN_SECRET_KEY is missing');
  expect(api.output()).toContain('TOCSIN_ADMIN_KEY is not valid');
  expect(api.output()).not.toContain('hunter2');
});

test('it gives the rules of TOCSIN_RULES_FILE to tenants there are and to new ones, and does not start on a broken one', async () => {
  const folder = mkdtempSync(join(tmpdir(), 'tocsin-rules-'));
  const rulesFile = join(folder, 'rules.yaml');
  const env = {
    TOCSIN_DATABASE_URL: database.appUrl,
    TOCSIN_QUEUE_URL: database.queueUrl,
    TOCSIN_SECRET_KEY: 's'.repeat(32),
    TOCSIN_ADMIN_KEY: ADMIN_KEY,
  };
  const start = (more: Record<string, string>) => startTocsin('api', { ...env, ...more });
  const text = `version: 1
channels:
  - { key: hook, name: Hook, kind: webhook, config: { url: '\${HUNTER_URL}' } }
rules:
  - { key: slow, name: Slow, condition: { metric: latency, window: 5m, operator: '>', threshold: 1000 }, notify: [hook] }
`;
  try {
    const before = await start({});
    await before.ready();
    const { key } = await newTenant(before.url, ADMIN_KEY, 'before');
    await before.stop();

    writeFileSync(rulesFile, text);
    const unset = await start({ TOCSIN_RULES_FILE: rulesFile });
    expect(await unset.exited).toBe(1);
    expect(unset.output()).toContain(`${rulesFile}, line 3, /channels/0/config/url: the variable HUNTER_URL is not set`);

    const api = await start({ TOCSIN_RULES_FILE: rulesFile, HUNTER_URL: 'https://hooks.example/hunter2' });
    try {
      await api.ready();
      const { api: later } = await newTenant(api.url, ADMIN_KEY, 'later');
      const slow = { data: [{ key: 'slow', pack: 'config', notify: [{ channel: 'hook' }] }] };
      expect(await later.get('/api/v1/rules')).toMatchObject(slow);
      const earlier = apiClient(api.url, key);
      await vi.waitFor(async () => expect(await earlier.get('/api/v1/rules')).toMatchObject(slow), { timeout: 45_000 });
      expect(api.output()).not.toContain('hunter2');
    } finally {
      expect(await api.stop()).toBe(0);
    }
  } finally {
    rmSync(folder, { recursive: true });
  }
});
