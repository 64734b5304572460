import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { type Actor, aRule, aWebhook, expectProblem, openWorld, type World } from './open-world.ts';

let world: World;
let tenant: Actor;

beforeAll(async () => {
  world = await openWorld();
  tenant = await world.tenant();
});
afterAll(() => world.close());

const deep = (depth: number): string => `{"name":"x","condition":${'['.repeat(depth)}${']'.repeat(depth)}}`;

describe('a body', () => {
  test.for([
    ['empty', ''],
    ['cut short', '{"name":'],
    ['not JSON', 'name=slow'],
    ['NaN', '{"name":"x","cooldown":NaN}'],
    ['with a byte order mark of UTF-16', '\ufeff\ufeff{}'],
    ['poisoned', '{"name":"x","__proto__":{"role":"admin"}}'],
    ['poisoned by escapes', '{"name":"x","\\u005f_proto__":{"role":"admin"}}'],
    ['poisoned through the constructor', '{"name":"x","constructor":{"prototype":{"role":"admin"}}}'],
    ['nested 33 deep', deep(33)],
    ['nested 200,000 deep', deep(200_000)],
    ['10 MB of nothing', ' '.repeat(1_000_000)],
  ])('that is %s is a 400', async ([, body]) => {
    expectProblem(await tenant.ask('POST', '/rules', body), 'bad_json', 400);
  });

  test('that is not UTF-8 is a 400', async () => {
    const response = await world.app.inject({
      method: 'POST',
      url: '/api/v1/rules',
      payload: Buffer.from([0x7b, 0x22, 0xff, 0x22, 0x3a, 0x31, 0x7d]),
      headers: { authorization: `Bearer ${await tenant.apiKey('admin')}`, 'content-type': 'application/json' },
    });
    expect(response.statusCode).toBe(400);
  });

  test('a byte over 5 MiB is a 413', async () => {
    const over = JSON.stringify({ name: 'x'.repeat(5 * 1_024 * 1_024) });
    expectProblem(await tenant.ask('POST', '/rules', over), 'too_large', 413);
    expectProblem(await tenant.ask('POST', '/events', over), 'too_large', 413);
  });

  test.for([
    'text/plain',
    'application/xml',
    'application/x-www-form-urlencoded',
    'multipart/form-data; boundary=x',
    'nonsense',
    'application/json-patch+json',
  ])('of type %s is a 415', async (type) => {
    expectProblem(await tenant.ask('POST', '/rules', '{}', { 'content-type': type }), 'unsupported_media_type', 415);
    expectProblem(await tenant.ask('POST', '/events', '{}', { 'content-type': type }), 'unsupported_media_type', 415);
  });

  test.for(['gzip', 'br', 'zstd', 'identity, gzip', 'GZIP', 'x'])(
    'that says it is encoded as %s is a 415, whatever it holds',
    async (encoding) => {
      for (const path of ['/rules', '/events', '/metrics/query'])
        expectProblem(await tenant.ask('POST', path, '{"events":[]}', { 'content-encoding': encoding }), 'unsupported_media_type', 415);
      expect((await tenant.ask('POST', '/events', '{"events":[]}', { 'content-encoding': 'identity' })).status).toBe(202);
    },
  );

  test.for([
    [
      'a number past the largest',
      '{"name":"x","condition":{"metric":"latency","window":"5m","operator":">","threshold":1e400}}',
      '/condition/threshold',
    ],
    ['half a surrogate pair', '{"name":"\\ud800"}', '/name'],
    ['half a surrogate pair in a key', '{"\\udfff":1}', ''],
    ['a NUL', '{"name":"a\\u0000b"}', '/name'],
  ])('with %s is a 422 that names the place', async ([, body, pointer]) => {
    expect(expectProblem(await tenant.ask('POST', '/rules', body), 'invalid', 422).errors?.[0]?.pointer).toBe(pointer);
  });

  test.for(['null', '[]', '"text"', '1', 'true'])('that is %s where an object is needed is a 422', async (body) => {
    for (const path of ['/rules', '/channels', '/events', '/metrics/query'])
      expectProblem(await tenant.ask('POST', path, body), 'invalid', 422);
    expectProblem(await tenant.ask('PUT', '/schedule', body), 'invalid', 422);
  });

  test('of one megabyte of text in a name is a 422 that does not repeat it', async () => {
    const long = 'x'.repeat(1_000_000);
    for (const answer of [
      await tenant.ask('POST', '/rules', aRule({ name: long })),
      await tenant.ask('POST', '/rules', aRule({ [long]: 1 })),
      await tenant.ask('POST', '/channels', aWebhook({ name: long })),
      await tenant.ask('POST', '/channels', aWebhook({ [long]: 1 })),
      await tenant.ask('POST', '/channels', aWebhook({ kind: long.slice(0, 30) })),
    ]) {
      expectProblem(answer, 'invalid', 422);
      expect(answer.text.length).toBeLessThan(5_000);
    }
  });

  test('with control characters in a name is a 422', async () => {
    for (const name of ['a\nb', 'a\u001b[31mb', 'a\u0085b', 'a\r\nx: y', ' \t ']) {
      expectProblem(await tenant.ask('POST', '/rules', aRule({ name })), 'invalid', 422);
      expectProblem(await tenant.ask('POST', '/channels', aWebhook({ name })), 'invalid', 422);
    }
  });

  test('with fields nobody asked for is a 422, whatever they would set', async () => {
    for (const field of ['tenantId', 'tenant_id', 'id', 'createdAt', 'createdBy', 'version', 'triggerCount', 'state', 'role']) {
      const onRule = expectProblem(await tenant.ask('POST', '/rules', aRule({ [field]: 1 })), 'invalid', 422);
      expect(onRule.errors?.map(({ pointer, code }) => [pointer, code])).toContainEqual([`/${field}`, 'unknown_field']);
      const onChannel = expectProblem(await tenant.ask('POST', '/channels', aWebhook({ [field]: 1 })), 'invalid', 422);
      expect(onChannel.errors).toEqual([{ pointer: `/${field}`, code: 'unknown_field', message: expect.stringContaining(field) }]);
    }
    expect((await tenant.ask('GET', '/rules')).body.data).toEqual([]);
  });

  test('on a path that takes none is a 422', async () => {
    const { body } = await tenant.ask('POST', '/rules', aRule({ key: 'no-body' }));
    expectProblem(await tenant.ask('POST', `/rules/${body.id}/disable`, { reason: 'holiday' }), 'invalid', 422);
    expect((await tenant.ask('POST', `/rules/${body.id}/disable`, '{}')).status).toBe(200);
    expect((await tenant.ask('POST', `/rules/${body.id}/enable`, '')).status).toBe(200);
  });
});

describe('a path', () => {
  test('that does not exist is a 404 problem, with and without a key', async () => {
    for (const path of ['/api/v1', '/api/v1/nothing', '/api/v2/rules', '//api/v1/rules', '/API/V1/RULES', '/api/v1/rules/x/y/z']) {
      expectProblem(await world.askWith(null)('GET', path), 'not_found', 404);
    }
  });

  test('that exists for other methods is a 405 that lists them', async () => {
    const answer = await tenant.ask('PUT', '/rules', {});
    expectProblem(answer, 'method_not_allowed', 405);
    expect(answer.headers['allow']).toBe('POST, GET, HEAD');
    expectProblem(await tenant.ask('DELETE', '/events'), 'method_not_allowed', 405);
  });

  test('that is broken is a 400 problem', async () => {
    expectProblem(await tenant.ask('GET', '/rules/%'), 'bad_request', 400);
    expectProblem(await tenant.ask('GET', '/rules/%c0%af'), 'bad_request', 400);
  });

  test('with parameters nobody knows, or that are out of bounds, is a 422 that names them', async () => {
    for (const query of [
      'limit=0',
      'limit=501',
      'limit=ten',
      'limit=1e9',
      'limit=',
      'cursor=x',
      'cursor=%00',
      'cursor=',
      'sort=id',
      'limit=1&limit=2',
      'cursor=' + Buffer.from("' or 1=1").toString('base64url'),
    ]) {
      for (const list of ['rules', 'channels', 'alerts', 'deliveries', 'inbox']) {
        const { errors } = expectProblem(await tenant.ask('GET', `/${list}?${query}`), 'invalid', 422);
        expect(errors?.[0]?.pointer).toBe(`?${query.split('=')[0]}`);
      }
    }
    const typo = expectProblem(await tenant.ask('GET', '/alerts?statuss=open'), 'invalid', 422);
    expect(typo.errors?.[0]?.message).toContain("Did you mean 'status'?");
  });
});

describe('an answer', () => {
  test('carries its request’s id and forbids caching, sniffing and framing', async () => {
    const answer = await tenant.ask('GET', '/rules/x');
    expect(answer.body.instance).toBe(answer.headers['x-request-id']);
    expect(answer.headers).toMatchObject({
      'cache-control': 'no-store',
      'x-content-type-options': 'nosniff',
      'x-frame-options': 'DENY',
      'strict-transport-security': 'max-age=31536000',
    });
    expect(answer.headers['content-security-policy']).toContain("default-src 'none'");
  });

  test('to a forged host or forwarded address is none of its own making', async () => {
    const answer = await tenant.ask('GET', '/rules', undefined, {
      host: 'evil.example',
      'x-forwarded-host': 'evil.example',
      'x-forwarded-for': '1.2.3.4',
    });
    expect(answer.status).toBe(200);
    expect(JSON.stringify([answer.headers, answer.text])).not.toContain('evil.example');
  });

  test('to what fails on our side says nothing about the inside', async () => {
    const broken = await openWorld({
      events: new Proxy({}, { get: () => () => Promise.reject(new Error('relation "secret_table" at 10.0.0.1')) }) as never,
    });
    const actor = await broken.tenant();
    const answer = await actor.ask('GET', '/metrics');
    expectProblem(answer, 'internal', 500);
    expect(answer.text).not.toMatch(/secret_table|10\.0\.0\.1|at |node_modules/);
    await broken.close();
  });
});
