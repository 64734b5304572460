import { migrateQueue } from '@tocsin/queue';
import { apiClient, newTenant, startTocsin, testDatabase, type TestDatabase } from '@tocsin/testkit';
import { afterAll, beforeAll, expect, test } from 'vitest';
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
