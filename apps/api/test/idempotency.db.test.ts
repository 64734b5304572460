import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { type Actor, ADMIN_KEY, aRule, aWebhook, expectProblem, openWorld, type World } from './open-world.ts';

let world: World;
let tenant: Actor;

beforeAll(async () => {
  world = await openWorld();
  tenant = await world.tenant();
});
afterAll(() => world.close());

const key = (text: string): Record<string, string> => ({ 'idempotency-key': text });

describe('an Idempotency-Key', () => {
  test('gives the first answer again and does nothing twice', async () => {
    const first = await tenant.ask('POST', '/rules', aRule({ name: 'Once' }), key('once'));
    expect(first.status).toBe(201);
    expect(first.headers['idempotent-replayed']).toBeUndefined();
    const again = await tenant.ask('POST', '/rules', aRule({ name: 'Once' }), key('once'));
    expect([again.status, again.text, again.headers['idempotent-replayed'], again.headers['etag']]).toEqual([
      201,
      first.text,
      'true',
      '"1"',
    ]);
    expect((await tenant.ask('GET', '/rules?search=once')).body.data).toHaveLength(1);
  });

  test('with another body is a 422', async () => {
    await tenant.ask('POST', '/rules', aRule({ name: 'Mine' }), key('body'));
    expectProblem(await tenant.ask('POST', '/rules', aRule({ name: 'Not mine' }), key('body')), 'idempotency_mismatch', 422);
  });

  test('used twenty times at once has one effect', async () => {
    const answers = await Promise.all(
      Array.from({ length: 20 }, () => tenant.ask('POST', '/rules', aRule({ name: 'Twenty' }), key('twenty'))),
    );
    const statuses = new Set(answers.map(({ status }) => status));
    expect([...statuses].every((status) => status === 201 || status === 409)).toBe(true);
    expect(new Set(answers.filter(({ status }) => status === 201).map(({ body }) => body.id)).size).toBe(1);
    for (const answer of answers.filter(({ status }) => status === 409)) {
      expectProblem(answer, 'request_in_progress', 409);
      expect(answer.headers['retry-after']).toBe('1');
    }
    expect((await tenant.ask('GET', '/rules?search=twenty')).body.data).toHaveLength(1);
  });

  test('belongs to its tenant, path and day', async () => {
    const other = await world.tenant();
    const [mine, theirs] = [
      await tenant.ask('POST', '/channels', aWebhook({ key: 'shared' }), key('same')),
      await other.ask('POST', '/channels', aWebhook({ key: 'shared' }), key('same')),
    ];
    expect([mine.status, theirs.status]).toEqual([201, 201]);
    expect(mine.body.id).not.toBe(theirs.body.id);
    expect((await tenant.ask('POST', '/rules', aRule({ name: 'Same' }), key('same'))).status).toBe(201);
    world.services.db.clock.shiftMs = 25 * 3_600_000;
    const nextDay = await tenant.ask('POST', '/channels', aWebhook({ key: 'shared' }), key('same'));
    world.services.db.clock.shiftMs = 0;
    expectProblem(nextDay, 'key_taken', 409);
  });

  test('of a request that failed is free again', async () => {
    expectProblem(
      await tenant.ask('POST', '/rules', aRule({ name: 'Fixed later', notify: [{ channel: 'later' }] }), key('failed')),
      'invalid',
      422,
    );
    await tenant.ask('POST', '/channels', aWebhook({ key: 'later' }));
    expect((await tenant.ask('POST', '/rules', aRule({ name: 'Fixed later', notify: [{ channel: 'later' }] }), key('failed'))).status).toBe(
      201,
    );
  });

  test('shows a new API key and a new tenant again, without keeping the key readable', async () => {
    const operator = world.askWith(ADMIN_KEY);
    const tenants = [
      await operator('POST', '/api/v1/tenants', { name: 'T', externalKey: 'idem' }, key('t')),
      await operator('POST', '/api/v1/tenants', { name: 'T', externalKey: 'idem' }, key('t')),
    ];
    expect(tenants.map(({ status }) => status)).toEqual([201, 201]);
    expect(tenants[0]?.body).toEqual(tenants[1]?.body);
    expectProblem(await operator('POST', '/api/v1/tenants', { name: 'U', externalKey: 'idem-2' }, key('t')), 'idempotency_mismatch', 422);

    const path = `/api/v1/tenants/${tenants[0]?.body.id}/api-keys`;
    const keys = [
      await operator('POST', path, { name: 'k', role: 'viewer' }, key('k')),
      await operator('POST', path, { name: 'k', role: 'viewer' }, key('k')),
    ];
    expect(keys[0]?.body.key).toBe(keys[1]?.body.key);
    expect((await operator('GET', path)).body.data).toHaveLength(1);
    const kept = await world.services.db.sql.begin(async (tx) => {
      await tx`select set_config('app.tenant_ids', ${tenants[0]?.body.id}, true)`;
      return tx<{ text: string }[]>`select response::text as text from idempotency_keys`;
    });
    expect(kept).toHaveLength(2);
    expect(JSON.stringify(kept)).not.toContain(keys[0]?.body.key.slice(-20));
  });

  test('of a test message sends it once', async () => {
    const { body } = await tenant.ask('POST', '/channels', { key: 'in', name: 'Inbox', kind: 'inbox' });
    const [first, again] = [
      await tenant.ask('POST', `/channels/${body.id}/test`, undefined, key('test')),
      await tenant.ask('POST', `/channels/${body.id}/test`, undefined, key('test')),
    ];
    expect([first?.status, again?.text, again?.headers['idempotent-replayed']]).toEqual([200, first?.text, 'true']);
    expect((await tenant.ask('GET', '/inbox')).body.data).toHaveLength(1);
  });

  test('that is none is a 422', async () => {
    for (const bad of ['', ' ', 'a b', 'é', 'x'.repeat(256)]) {
      expectProblem(await tenant.ask('POST', '/rules', aRule({ name: 'Bad key' }), key(bad)), 'invalid', 422);
      expectProblem(await tenant.ask('POST', '/events', { events: [] }, key(bad)), 'invalid', 422);
    }
  });
});
