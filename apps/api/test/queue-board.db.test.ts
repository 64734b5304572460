import { QUEUE_NAMES } from '@tocsin/queue';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { ADMIN_KEY, expectProblem, openWorld, type World } from './open-world.ts';

let world: World;

beforeAll(async () => {
  world = await openWorld();
});
afterAll(() => world.close());

const basic = (password: string, name = 'anyone'): Record<string, string> => ({
  authorization: `Basic ${Buffer.from(`${name}:${password}`).toString('base64')}`,
});
const PATHS = [
  '/admin/queues',
  '/admin/queues/',
  '/admin/queues/api/queues',
  '/admin/queues/static/js/main.js',
  '/admin/queues/queue/evaluations',
];

describe('the queue board', () => {
  test('asks a browser for the admin key', async () => {
    for (const path of PATHS.slice(0, 1)) {
      const answer = await world.askWith(null)('GET', path);
      expectProblem(answer, 'admin_key_required', 401);
      expect(answer.headers['www-authenticate']).toMatch(/^Basic realm=/);
    }
  });

  test('opens to the admin key as a password with any name, or as a bearer', async () => {
    for (const headers of [basic(ADMIN_KEY), basic(ADMIN_KEY, ''), { authorization: `Bearer ${ADMIN_KEY}` }]) {
      const page = await world.app.inject({ method: 'GET', url: '/admin/queues', headers });
      expect(page.statusCode).toBe(200);
      expect(page.headers['content-type']).toContain('text/html');
      expect(page.headers['content-security-policy']).not.toContain('unsafe-eval');
      const queues = await world.app.inject({ method: 'GET', url: '/admin/queues/api/queues', headers });
      expect(
        queues
          .json()
          .queues.map(({ name }: { name: string }) => name)
          .sort(),
      ).toEqual(QUEUE_NAMES.toSorted());
    }
  });

  test('stays shut to everybody else, on every path that leads there', async () => {
    const tenant = await world.tenant();
    const keys = [
      basic(''),
      basic(`${ADMIN_KEY}x`),
      basic(await tenant.apiKey('admin')),
      { authorization: `Bearer ${await tenant.apiKey('admin')}` },
      { authorization: 'Basic ' },
      { authorization: 'Basic %%%' },
      {},
    ];
    const sneaky = [
      '/admin/queues/..%2f..%2fadmin/queues',
      '/admin//queues',
      '/ADMIN/QUEUES',
      '/admin/queues/%2e%2e/queues',
      '/admin/./queues',
      '/admin/queues;x',
      '/api/v1/../../admin/queues',
      '/healthz/../admin/queues',
      '/admin/queues%00',
      '/admin%2fqueues',
    ];
    for (const headers of keys) {
      for (const url of [...PATHS, ...sneaky]) {
        const answer = await world.app.inject({ method: 'GET', url, headers });
        expect([400, 401, 404], `${url} ${answer.body}`).toContain(answer.statusCode);
      }
    }
    for (const url of PATHS.slice(0, 3)) expect((await world.app.inject({ method: 'GET', url })).statusCode).toBe(401);
  });

  test('takes a change from its own pages alone', async () => {
    const url = '/admin/queues/api/queues/evaluations/pause';
    const put = (headers: Record<string, string>) => world.app.inject({ method: 'PUT', url, headers: { host: 'tocsin.test', ...headers } });
    for (const origin of [undefined, 'https://evil.example', 'null', 'http://tocsin.test.evil.example', 'http://tocsin.test:81', '']) {
      const answer = await put({ ...basic(ADMIN_KEY), ...(origin === undefined ? {} : { origin }) });
      expect(answer.statusCode, String(origin)).toBe(403);
    }
    expect((await put({ ...basic(ADMIN_KEY), origin: 'http://tocsin.test' })).statusCode).toBe(200);
    expect((await put({ origin: 'http://tocsin.test' })).statusCode).toBe(401);
    const resumed = await world.app.inject({
      method: 'PUT',
      url: url.replace('pause', 'resume'),
      headers: { authorization: `Bearer ${ADMIN_KEY}` },
    });
    expect(resumed.statusCode).toBe(200);
  });

  test('has no route that is open, and none that changes a thing for a page elsewhere', async () => {
    const routes = world.app
      .permissions()
      .filter(({ url }) => url.startsWith('/admin/'))
      .flatMap(({ method, url }) =>
        method.split(',').map((each) => ({ method: each as 'GET', url: url.replace(/:\w+/g, 'evaluations').replace('*', 'x.js') })),
      );
    expect(routes.length).toBeGreaterThan(20);
    for (const { method, url } of routes) {
      for (const path of [url, `${url}?`, url.replace('admin', '%61dmin'), `${url}/`, url.toUpperCase()]) {
        const { statusCode } = await world.app.inject({ method, url: path });
        expect([401, 404], `${method} ${path}`).toContain(statusCode);
      }
      if (['GET', 'HEAD'].includes(method)) continue;
      const forged = { ...basic(ADMIN_KEY), host: 'tocsin.test', origin: 'https://evil.example' };
      expect((await world.app.inject({ method, url, headers: forged, payload: {} })).statusCode, `${method} ${url}`).toBe(403);
    }
  });
});
