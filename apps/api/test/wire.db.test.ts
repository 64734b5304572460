import { type AddressInfo, connect } from 'node:net';
import type { EventStore } from '@tocsin/events';
import { setImmediate as nextTurn } from 'node:timers/promises';
import { afterAll, beforeAll, describe, expect, test, vi } from 'vitest';
import { buildApi } from '../src/build-api.ts';
import { ADMIN_KEY, openWorld, type World } from './open-world.ts';

let world: World;
let port: number;

beforeAll(async () => {
  world = await openWorld();
  await world.app.listen({ host: '127.0.0.1', port: 0 });
  port = (world.app.server.address() as AddressInfo).port;
});
afterAll(() => world.close());

/** Sends bytes and answers all that comes back until the other side closes. */
const exchange = (bytes: string): Promise<string> =>
  new Promise((resolve, reject) => {
    let answer = '';
    const socket = connect(port, '127.0.0.1', () => socket.write(bytes));
    socket
      .setEncoding('utf8')
      .on('data', (text: string) => (answer += text))
      .on('close', () => resolve(answer))
      .on('error', reject);
    socket.setTimeout(10_000, () => socket.destroy(new Error('no answer')));
  });

/** An event store whose metric queries wait to be answered, and show the signal they were given. */
function withSignals() {
  const asked = Promise.withResolvers<AbortSignal>();
  const answered = Promise.withResolvers<Awaited<ReturnType<EventStore['queryRange']>>>();
  const queryRange: EventStore['queryRange'] = async (_tenantId, _query, _range, signal) => {
    asked.resolve(signal);
    return answered.promise;
  };
  return {
    events: { ...world.services.events, queryRange },
    next: () => asked.promise,
    answer: () => answered.resolve({ series: [], dropped: 0, basis: 'events' }),
  };
}

const post = (headers: string, body = ''): string =>
  `POST /api/v1/rules HTTP/1.1\r\nHost: x\r\nConnection: close\r\n${headers}\r\n\r\n${body}`;

describe('on the wire', () => {
  test('headers over 16 KiB are a 431 problem and the end of the connection', async () => {
    const answer = await exchange(post(`Authorization: Bearer ${'k'.repeat(100_000)}`));
    expect(answer).toMatch(/^HTTP\/1\.1 431 /);
    expect(answer).toContain('"type":"/errors/header_too_large"');
  });

  test.for<[string, string]>([
    ['no HTTP', 'hello\r\n\r\n'],
    ['both a length and chunks', post('Content-Length: 5\r\nTransfer-Encoding: chunked', '0\r\n\r\n')],
    ['chunks of chunks', post('Transfer-Encoding: chunked, chunked', '0\r\n\r\n')],
    ['a length that is none', post('Content-Length: x')],
    ['a header with a line break in its name', post('X\u0001Y: z')],
  ])('%s is a 400 problem and the end of the connection', async ([, bytes]) => {
    const answer = await exchange(bytes);
    expect(answer).toMatch(/^HTTP\/1\.1 400 /);
    expect(answer).toContain('application/problem+json');
  });

  test('a key with bytes beyond ASCII is a 401', async () => {
    expect(await exchange(post('Authorization: Bearer tk_é💩'))).toMatch(/^HTTP\/1\.1 401 /);
  });

  test('a body announced too long is refused before it is sent', async () => {
    const tenant = await world.tenant();
    const answer = await exchange(
      post(`Authorization: Bearer ${await tenant.apiKey('admin')}\r\nContent-Type: application/json\r\nContent-Length: 5242881`, ''),
    );
    expect(answer).toMatch(/^HTTP\/1\.1 413 /);
  });

  test('a metric query runs until its client hangs up, not until its body is read', async () => {
    const signals = withSignals();
    const app = await buildApi({ services: { ...world.services, events: signals.events }, adminKey: ADMIN_KEY, dependencies: {} });
    await app.listen({ host: '127.0.0.1', port: 0 });
    const url = `http://127.0.0.1:${(app.server.address() as AddressInfo).port}/api/v1/metrics/query`;
    const headers = { authorization: `Bearer ${await (await world.tenant()).apiKey('viewer')}`, 'content-type': 'application/json' };
    const body = JSON.stringify({ metric: 'latency', window: '5m', from: 0, to: 3_600_000, step: '1m' });

    const client = new AbortController();
    const abandoned = fetch(url, { method: 'POST', headers, body, signal: client.signal }).catch(() => 'hung up');
    const signal = await signals.next();
    for (let turn = 0; turn < 20; turn += 1) await nextTurn();
    expect(signal.aborted).toBe(false);
    client.abort();
    expect(await abandoned).toBe('hung up');
    await vi.waitFor(() => expect(signal.aborted).toBe(true));
    signals.answer();
    await app.close();
  });

  test('health, readiness, metrics and error pages need no key and tell nothing of a tenant', async () => {
    const tenant = await world.tenant('Secretive');
    await tenant.ask('GET', '/rules');
    const get = async (path: string) => world.app.inject({ method: 'GET', url: path });
    expect((await get('/healthz')).json()).toEqual({ status: 'ok' });
    expect((await get('/readyz')).json()).toEqual({ status: 'ok', checks: { queue: 'ok' } });
    const metrics = await get('/metrics');
    expect(metrics.body).toMatch(/^tocsin_http_request_duration_seconds_count\{.*route="\/api\/v1\/rules",status="200".*\} 1$/m);
    expect(metrics.body).not.toContain(tenant.tenantId);
    expect((await get('/errors/invalid')).json()).toMatchObject({ code: 'invalid', status: 422 });
    expect((await get('/errors/nothing')).statusCode).toBe(404);
    expect((await get('/errors')).json().data.length).toBeGreaterThan(15);
  });
});

test('while the database is away the answer is a 503 with Retry-After, and readiness says so', async () => {
  const { buildApi } = await import('../src/build-api.ts');
  const refused = Object.assign(new Error('connect ECONNREFUSED 127.0.0.1:5432'), { code: 'ECONNREFUSED' });
  const db = { ...world.services.db, drizzle: { transaction: () => Promise.reject(refused) } as never };
  const app = await buildApi({
    services: { ...world.services, db },
    adminKey: 'x'.repeat(32),
    dependencies: { database: () => Promise.reject(refused) },
  });
  const answer = await app.inject({
    method: 'GET',
    url: '/api/v1/rules',
    headers: { authorization: `Bearer tk_${'0'.repeat(32)}_${'A'.repeat(43)}` },
  });
  expect([answer.statusCode, answer.headers['retry-after'], answer.json().type]).toEqual([503, '1', '/errors/unavailable']);
  expect(answer.body).not.toContain('5432');
  const ready = await app.inject({ method: 'GET', url: '/readyz' });
  expect([ready.statusCode, ready.json()]).toEqual([503, { status: 'unavailable', checks: { database: 'unavailable' } }]);
  await app.close();
});
