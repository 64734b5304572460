import { Problem } from '@tocsin/contracts';
import { openEventStore } from '@tocsin/events';
import { migrateQueue, openQueues } from '@tocsin/queue';
import { createLogger, createMetrics, openOutbound, secretBox, systemClock } from '@tocsin/runtime';
import type { Services } from '@tocsin/services';
import { makeTenant, testDatabase, type TestTenant } from '@tocsin/testkit';
import type { FastifyInstance, InjectOptions } from 'fastify';
import { expect } from 'vitest';
import { buildApi } from '../src/build-api.ts';

export const ADMIN_KEY = 'an-admin-key-for-tests-of-32-chars-or-more';
export const SCHEDULER_SECRET = 'a-scheduler-secret-for-tests-of-32-chars-or-more';
const SECRET_KEY = 'a-secret-key-for-tests-of-32-chars-or-more';

export interface Answer {
  status: number;
  headers: Record<string, unknown>;
  text: string;
  /** The body as JSON; null when there is none. */
  // oxlint-disable-next-line typescript/no-explicit-any -- what came over the wire: tests compare it or parse it with its contract
  body: any;
}

export type Method = 'GET' | 'POST' | 'PUT' | 'PATCH' | 'DELETE';
/** A string is sent as it is. */
export type Ask = (method: Method, path: string, body?: unknown, headers?: Record<string, string>) => Promise<Answer>;

export interface Actor extends TestTenant {
  /** Asks with an admin's key of the tenant; paths begin after `/api/v1`. */
  ask: Ask;
  /** Asks with a key of that role. */
  as: (role: Parameters<TestTenant['apiKey']>[0]) => Promise<Ask>;
}

export interface World {
  app: FastifyInstance;
  services: Services;
  tenant: (name?: string) => Promise<Actor>;
  /** Asks with any key, or none; paths are whole. */
  askWith: (key: string | null) => Ask;
  close: () => Promise<void>;
}

/** The API on a database and queues of its own, without a port. */
export async function openWorld(changes: Partial<Services> = {}): Promise<World> {
  const database = await testDatabase();
  await migrateQueue({ url: database.queueUrl });
  const logger = createLogger('test', 'silent');
  const queues = await openQueues({ url: database.queueUrl, logger });
  const outbound = openOutbound({ allowHttp: false, allowCidrs: [], resolve: async () => ['93.184.216.34'] });
  const base = { db: database.db, logger, metrics: createMetrics('test'), clock: systemClock };
  const events = openEventStore(base);
  const services = { ...base, queues, outbound, secretBox: secretBox(SECRET_KEY), publicUrl: 'https://tocsin.test', events, ...changes };
  const app = await buildApi({ services, adminKey: ADMIN_KEY, schedulerSecret: SCHEDULER_SECRET, dependencies: { queue: queues.ping } });

  const askWith =
    (key: string | null): Ask =>
    async (method, url, body, headers = {}) => {
      const request: InjectOptions = { method, url, headers: { ...(key === null ? {} : { authorization: `Bearer ${key}` }), ...headers } };
      if (body !== undefined) {
        request.payload = typeof body === 'string' ? body : JSON.stringify(body);
        request.headers = { 'content-type': 'application/json', ...request.headers };
      }
      const response = await app.inject(request);
      const isJson = /[/+]json\b/.test(String(response.headers['content-type']));
      return {
        status: response.statusCode,
        headers: response.headers,
        text: response.body,
        body: isJson && response.body !== '' ? response.json() : null,
      };
    };
  return {
    app,
    services,
    askWith,
    tenant: async (name = 'Acme') => {
      const tenant = await makeTenant(base.db, { name });
      const as: Actor['as'] = async (role) => {
        const ask = askWith(await tenant.apiKey(role));
        return (method, path, ...rest) => ask(method, `/api/v1${path}`, ...rest);
      };
      return { ...tenant, as, ask: await as('admin') };
    },
    close: async () => {
      await app.close();
      await events.close();
      await queues.close();
      await outbound.close();
      await database.drop();
    },
  };
}

/** That an answer is this problem, in the shape every problem has. */
export function expectProblem(answer: Answer, code: string, status: number): Problem {
  expect(answer.body, answer.text).toMatchObject({ type: `/errors/${code}`, status });
  expect(answer.status).toBe(status);
  expect(answer.headers['content-type']).toContain('application/problem+json');
  return Problem.parse(answer.body);
}

/** A rule as short as it may be. */
export const aRule = (changes: Record<string, unknown> = {}): Record<string, unknown> => ({
  name: 'Slow calls',
  condition: { metric: 'latency', window: '5m', operator: '>', threshold: 1_000 },
  ...changes,
});

/** A metric definition as short as it may be. */
export const aMetric = (changes: Record<string, unknown> = {}): Record<string, unknown> => ({
  name: 'Open issues',
  query: { measure: 'open', window: '5m' },
  ...changes,
});

export const aWebhook = (changes: Record<string, unknown> = {}): Record<string, unknown> => ({
  key: 'hook',
  name: 'Hook',
  kind: 'webhook',
  config: { url: 'https://receiver.example/in' },
  ...changes,
});

/** A silence as short as it may be. */
export const aSilence = (changes: Record<string, unknown> = {}): Record<string, unknown> => ({
  matchers: [{ label: 'env', op: '=', value: 'prod' }],
  duration: '2h',
  ...changes,
});

/** A maintenance window as short as it may be. */
export const aWindow = (changes: Record<string, unknown> = {}): Record<string, unknown> => ({
  name: 'Nightly',
  matchers: [{ label: 'env', op: '=', value: 'prod' }],
  timeZone: 'Europe/Berlin',
  start: '2026-11-28T22:00',
  duration: '2h',
  ...changes,
});
