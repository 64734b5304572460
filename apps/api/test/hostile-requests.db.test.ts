import * as contracts from '@tocsin/contracts';
import { newId } from '@tocsin/db';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { z } from 'zod';
import { type Actor, ADMIN_KEY, type Answer, type Ask, aRule, expectProblem, openWorld, type Method, type World } from './open-world.ts';

let world: World;
let tenant: Actor;
let admin: Ask;
let operator: Ask;

beforeAll(async () => {
  world = await openWorld();
  tenant = await world.tenant();
  [admin, operator] = [world.askWith(await tenant.apiKey('admin')), world.askWith(ADMIN_KEY)];
  await tenant.ask('POST', '/rules', aRule({ key: 'kept' }));
});
afterAll(() => world.close());

interface Route {
  method: Method;
  url: string;
  ask: Ask;
}

/** Its answer goes on until somebody leaves; its own tests say what it refuses. */
const STREAM = '/api/v1/inbox/stream';

const routes = (): Route[] =>
  world.app
    .permissions()
    .flatMap(({ method, url, permission }) =>
      method.split(',').map((each) => ({ method: each as Method, url, ask: permission === 'operator' ? operator : admin })),
    )
    .filter(({ url, method }) => !url.startsWith('/admin/') && url !== STREAM && String(method) !== 'HEAD');

const filled = (url: string): string => url.replace('/:tenantId', `/${tenant.tenantId}`).replace(/:\w+/g, newId());

function expectSound(answer: Answer, what: string): void {
  expect(answer.status, `${what} → ${answer.text.slice(0, 500)}`).toBeLessThan(500);
  expect(answer.text.length, what).toBeLessThan(200_000);
  if (answer.status >= 400) contracts.Problem.parse(answer.body);
}

/** Every parameter that any list knows, so that a later one is tried too. */
const PARAMETERS = [
  ...new Set(
    Object.entries(contracts).flatMap(([name, schema]) =>
      /^(List|Delete)/.test(name) && schema instanceof z.ZodObject ? Object.keys(schema.shape) : [],
    ),
  ),
  '__proto__',
  'constructor',
  '',
];
const VALUES = [
  '',
  'x'.repeat(5_000),
  'a\u0000b',
  'a\r\nSet-Cookie: a=b',
  '💩\u202e',
  "'; drop table rules;-- %_\\",
  '__proto__',
  '-1',
  '1e400',
  '0x10',
  '9007199254740993',
  '2026-02-31T25:00:00Z',
  '00000000-0000-0000-0000-000000000000',
  ...["' or 1=1", '{"id":1}', newId(), newId().toUpperCase(), `${newId()}x`].map((text) => Buffer.from(text).toString('base64url')),
];

test('no parameter of any list, whatever it says, is our fault', { timeout: 240_000 }, async () => {
  expect(PARAMETERS.length).toBeGreaterThan(15);
  for (const { method, url, ask } of routes().filter((route) => route.method === 'GET')) {
    for (const name of PARAMETERS) {
      for (const value of VALUES) {
        const path = `${filled(url)}?${encodeURIComponent(name)}=${encodeURIComponent(value)}`;
        const answer = await ask(method, path);
        expectSound(answer, path);
        // what is not there, or takes no parameters, says so whatever they hold
        if (answer.text.includes('"unknown_field"') || answer.status === 404 || !url.startsWith('/api/')) break;
      }
    }
  }
});

test('no broken encoding, no repeated and no nested parameter is our fault', async () => {
  for (const { method, url, ask } of routes().filter((route) => route.method === 'GET')) {
    for (const query of [
      '?',
      '?&&&',
      '?=',
      '?%',
      '?%zz=%',
      '?limit=%c0%af',
      '?limit[]=1',
      '?limit[a]=1',
      '?limit=1&limit=2',
      `?${'a=b&'.repeat(3_000)}`,
    ]) {
      expectSound(await ask(method, filled(url) + query), url + query.slice(0, 40));
    }
  }
});

test('no id or key in a path, whatever it says, is our fault or finds anything', async () => {
  const texts = [
    ...VALUES.filter((text) => text !== ''),

    '%2e%2e%2f',
    '*',
    ':id',
    'null',
    'undefined',
    'kept\u0000',
    'x'.repeat(501),
  ];
  for (const { method, url, ask } of routes().filter((route) => route.url.includes(':') && route.method !== 'PUT')) {
    for (const text of texts) {
      const path = url.replace(/:\w+/g, encodeURIComponent(text));
      const answer = await ask(method, path, method === 'GET' || method === 'DELETE' ? undefined : '');
      expectSound(answer, path.slice(0, 200));
      expect(answer.status, path.slice(0, 200)).toBeGreaterThanOrEqual(400);
    }
  }
});

test('no header, whatever it says, is our fault or changes who asks for what', async () => {
  const names = `authorization if-match idempotency-key content-type content-encoding accept cookie range te
    origin x-forwarded-for x-forwarded-host forwarded x-original-url x-rewrite-url
    x-http-method-override x-request-id traceparent if-modified-since accept-encoding x-tenant-id webhook-id`.split(/\s+/);
  const values = [
    '',
    '*',
    '"1"',
    'DELETE',
    '/admin/queues',
    'Bearer',
    'é',
    "' or 1=1",
    '127.0.0.1',
    'gzip',
    'x'.repeat(8_000),
    ','.repeat(8_000),
  ];
  const known = await admin('GET', '/api/v1/rules');
  for (const name of names) {
    for (const value of values) {
      const answer = await admin('GET', '/api/v1/rules', undefined, { [name]: value });
      expectSound(answer, `${name}: ${value.slice(0, 40)}`);
      if (answer.status === 200) expect(answer.text).toBe(known.text);
      expectSound(await admin('POST', '/api/v1/rules', {}, { [name]: value }), `${name}: ${value.slice(0, 40)}`);
      expect((await world.askWith(null)('GET', '/api/v1/rules', undefined, { [name]: value })).status).not.toBe(200);
      expect((await world.askWith(null)('GET', '/admin/queues', undefined, { [name]: value })).status).not.toBe(200);
    }
  }
  expect((await admin('GET', '/api/v1/rules')).text).toBe(known.text);
});

/** `/rules/:id` leads to `/rules/test`, too. */
function leadsTo(pattern: string, url: string): boolean {
  const [steps, wanted] = [pattern.split('/'), url.split('/')];
  return steps.length === wanted.length && steps.every((step, index) => step.startsWith(':') || step === wanted[index]);
}

test('no method but those of a path reaches it, with or without a key', async () => {
  for (const url of new Set(routes().map((route) => route.url))) {
    const known = routes().flatMap((route) => (leadsTo(route.url, url) ? [route.method as string] : []));
    for (const method of ['GET', 'POST', 'PUT', 'PATCH', 'DELETE', 'OPTIONS', 'TRACE', 'PROPFIND', 'SEARCH', 'LINK'].filter(
      (each) => !known.includes(each),
    )) {
      for (const ask of [admin, operator, world.askWith(null)])
        expectProblem(await ask(method as Method, filled(url)), 'method_not_allowed', 405);
    }
  }
});
