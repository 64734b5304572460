import { Channel, ChannelKind, ChannelTest, Delivery, DeliveryDetail, InboxMessage, pageOf } from '@tocsin/contracts';
import { withTenantsSql } from '@tocsin/db';
import { z } from 'zod';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { type Actor, aRule, aWebhook, expectProblem, openWorld, type World } from './open-world.ts';

let world: World;
let tenant: Actor;

beforeAll(async () => {
  world = await openWorld();
  tenant = await world.tenant();
});
afterAll(() => world.close());

const SLACK = 'https://hooks.slack.example/services/T000/B000/XXXXsecretXXXX';

const storedRows = (): Promise<string> =>
  withTenantsSql(world.services.db, [tenant.tenantId], async (sql) => {
    const tables = ['channels', 'audit_events', 'idempotency_keys', 'deliveries'];
    const rows = await Promise.all(tables.map((table) => sql<{ text: string }[]>`select to_jsonb(t)::text as text from ${sql(table)} t`));
    return JSON.stringify(rows);
  });

describe('channels', () => {
  test('come back with their secrets masked and are stored with them sealed', async () => {
    const made = await tenant.ask('POST', '/channels', { key: 'slack', name: 'Slack', kind: 'slack', config: { webhookUrl: SLACK } });
    expect(made.status, made.text).toBe(201);
    expect(Channel.parse(made.body)).toMatchObject({ key: 'slack', enabled: true, lastUsedAt: null, lastError: null, version: 1 });
    const hook = await tenant.ask(
      'POST',
      '/channels',
      aWebhook({ key: 'signed', config: { url: 'https://receiver.example/in?token=abcdefgh12345678' } }),
    );
    expect(hook.status, hook.text).toBe(201);
    const seen = [
      made.text,
      hook.text,
      (await tenant.ask('GET', '/channels')).text,
      (await tenant.ask('GET', `/channels/${made.body.id}`)).text,
    ].join();
    expect(seen).toContain('••••');
    for (const secret of ['XXXXsecret', SLACK]) {
      expect(seen).not.toContain(secret);
      expect(await storedRows()).not.toContain(secret);
    }
  });

  test('keep the secret that comes back masked or not at all, and take a new one', async () => {
    const { body } = await tenant.ask('POST', '/channels', { key: 'kept', name: 'Kept', kind: 'slack', config: { webhookUrl: SLACK } });
    const before = await sealedUrl(body.id);
    expect(before).toBe(SLACK);
    const renamed = await tenant.ask('PATCH', `/channels/${body.id}`, { name: 'Renamed', config: body.config });
    expect(Channel.parse(renamed.body)).toMatchObject({ name: 'Renamed', version: 2, config: body.config });
    expect(await sealedUrl(body.id)).toBe(SLACK);
    await tenant.ask('PATCH', `/channels/${body.id}`, { config: { webhookUrl: `${SLACK}2` } });
    expect(await sealedUrl(body.id)).toBe(`${SLACK}2`);
  });

  test('with an address that may not be called are a 422 at saving, at its place', async () => {
    for (const url of [
      'http://receiver.example/',
      'https://127.0.0.1/',
      'https://2130706433/',
      'https://[::1]/',
      'https://169.254.169.254/latest',
      'https://localhost/',
      'https://receiver.example:6379/',
      'https://u:p@receiver.example/',
    ]) {
      const problem = expectProblem(
        await tenant.ask('POST', '/channels', aWebhook({ key: 'bad', config: { url } })),
        'url_not_allowed',
        422,
      );
      expect(problem.errors?.[0]?.pointer).toBe('/config/url');
    }
    for (const url of ['gopher://receiver.example/', 'file:///etc/passwd', 'javascript:alert(1)', 'not a url', '']) {
      expect((await tenant.ask('POST', '/channels', aWebhook({ key: 'bad', config: { url } }))).status).toBe(422);
    }
    const { body } = await tenant.ask('POST', '/channels', aWebhook({ key: 'good' }));
    expectProblem(await tenant.ask('PATCH', `/channels/${body.id}`, { config: { url: 'https://10.0.0.1/' } }), 'url_not_allowed', 422);
  });

  test('of an unknown kind, with a key that is taken or none, or with unknown fields are refused with a hint', async () => {
    const kind = expectProblem(await tenant.ask('POST', '/channels', aWebhook({ kind: 'webhok' })), 'invalid', 422);
    expect(kind.errors?.[0]).toMatchObject({ pointer: '/kind', message: expect.stringContaining("Did you mean 'webhook'?") });
    const config = expectProblem(
      await tenant.ask('POST', '/channels', aWebhook({ config: { url: 'https://receiver.example/', urll: 1 } })),
      'invalid',
      422,
    );
    expect(config.errors?.[0]).toMatchObject({ pointer: '/config/urll', code: 'unknown_field' });
    await tenant.ask('POST', '/channels', aWebhook({ key: 'taken' }));
    expectProblem(await tenant.ask('POST', '/channels', aWebhook({ key: 'taken' })), 'key_taken', 409);
    for (const key of ['', 'A', 'a b', '../x', 'x'.repeat(101)])
      expectProblem(await tenant.ask('POST', '/channels', aWebhook({ key })), 'invalid', 422);
    const { body } = await tenant.ask('POST', '/channels', aWebhook({ key: 'for-ever' }));
    expectProblem(await tenant.ask('PATCH', `/channels/${body.id}`, { key: 'other' }), 'invalid', 422);
    expectProblem(await tenant.ask('PATCH', `/channels/${body.id}`, { kind: 'slack' }), 'invalid', 422);
  });

  test('that rules notify are deleted only when forced', async () => {
    const { body } = await tenant.ask('POST', '/channels', aWebhook({ key: 'used' }));
    await tenant.ask('POST', '/rules', aRule({ name: 'Uses it', notify: [{ channel: 'used' }] }));
    const refused = expectProblem(await tenant.ask('DELETE', `/channels/${body.id}`), 'channel_in_use', 409);
    expect(refused.detail).toContain("'Uses it'");
    expectProblem(await tenant.ask('DELETE', `/channels/${body.id}?force=yes`), 'invalid', 422);
    expect((await tenant.ask('DELETE', `/channels/${body.id}?force=true`)).status).toBe(204);
    expectProblem(await tenant.ask('GET', `/channels/${body.id}`), 'not_found', 404);
    expectProblem(await tenant.ask('DELETE', `/channels/${body.id}`), 'not_found', 404);
  });

  test('say how many messages are told one by one, and whether alerts are told together', async () => {
    const { body } = await tenant.ask('POST', '/channels', aWebhook({ key: 'paced', maxPerMinute: 5, grouping: false }));
    expect(Channel.parse(body)).toMatchObject({ maxPerMinute: 5, grouping: false, fallback: null });
    const at = `/channels/${body.id}`;
    expect((await tenant.ask('PATCH', at, { name: 'Paced' })).body).toMatchObject({ maxPerMinute: 5, grouping: false });
    expect((await tenant.ask('PATCH', at, { maxPerMinute: null, grouping: true })).body).toMatchObject({
      maxPerMinute: null,
      grouping: true,
    });
    expect((await tenant.ask('GET', at)).body).toMatchObject({ maxPerMinute: null, grouping: true });
    const plain = await tenant.ask('POST', '/channels', aWebhook({ key: 'plain' }));
    expect(plain.body).toMatchObject({ maxPerMinute: null, grouping: true });
    for (const wrong of [{ maxPerMinute: 0 }, { maxPerMinute: 1.5 }, { maxPerMinute: 10_001 }, { grouping: 'no' }, { grouping: null }]) {
      const { errors } = expectProblem(await tenant.ask('PATCH', at, wrong), 'invalid', 422);
      expect(errors?.[0]?.pointer).toBe(`/${Object.keys(wrong)[0]}`);
    }
  });

  test('are changed only at the version that was read', async () => {
    const { body, headers } = await tenant.ask('POST', '/channels', aWebhook({ key: 'etag' }));
    const match = { 'if-match': String(headers['etag']) };
    expect((await tenant.ask('PATCH', `/channels/${body.id}`, { enabled: false }, match)).headers['etag']).toBe('"2"');
    expectProblem(await tenant.ask('PATCH', `/channels/${body.id}`, { enabled: true }, match), 'version_mismatch', 412);
    expectProblem(await tenant.ask('DELETE', `/channels/${body.id}`, undefined, match), 'version_mismatch', 412);
    expect((await tenant.ask('DELETE', `/channels/${body.id}`, undefined, { 'if-match': '"1", "2"' })).status).toBe(204);
  });

  test('a test message goes the way of real ones and is a delivery with its attempt', async () => {
    const { body } = await tenant.ask('POST', '/channels', { key: 'inbox', name: 'Inbox', kind: 'inbox' });
    const tested = await tenant.ask('POST', `/channels/${body.id}/test`);
    expect(ChannelTest.parse(tested.body)).toMatchObject({ outcome: 'delivered', reason: null });
    const [delivery] = pageOf(Delivery).parse((await tenant.ask('GET', '/deliveries?channelKey=inbox')).body).data;
    expect(delivery).toMatchObject({ id: tested.body.deliveryId, kind: 'test', status: 'delivered', attempts: 1, nextAttemptAt: null });
    const detail = DeliveryDetail.parse((await tenant.ask('GET', `/deliveries/${tested.body.deliveryId}`)).body);
    expect(detail.attemptLog).toMatchObject([{ number: 1, outcome: 'delivered' }]);
    expect(detail.body).not.toBe(null);
    expect(pageOf(InboxMessage).parse((await tenant.ask('GET', '/inbox?unread=true')).body).data).toMatchObject([
      { deliveryId: delivery?.id },
    ]);
    expectProblem(await tenant.ask('POST', `/deliveries/${tested.body.deliveryId}/retry`), 'not_retryable', 409);
  });
});

test('the kinds there are come with what their configuration takes', async () => {
  const { status, body } = await tenant.ask('GET', '/channels/kinds');
  expect(status).toBe(200);
  const { data } = z.strictObject({ data: z.array(ChannelKind) }).parse(body);
  expect(data.map(({ kind }) => kind)).toEqual(expect.arrayContaining(['webhook', 'email', 'slack', 'pagerduty', 'inbox']));
  expect(data.find(({ kind }) => kind === 'discord')).toEqual({
    kind: 'discord',
    label: 'Discord',
    config: expect.objectContaining({
      required: ['webhookUrl'],
      properties: { webhookUrl: expect.objectContaining({ type: 'string', format: 'uri', secret: true, outbound: true }) },
    }),
  });
});

test('mail that this installation is not set up to send is suppressed, and shown to be', async () => {
  const { body } = await tenant.ask('POST', '/channels', { key: 'mail', name: 'Mail', kind: 'email', config: { to: ['ops@example.com'] } });
  const tested = await tenant.ask('POST', `/channels/${body.id}/test`);
  expect(ChannelTest.parse(tested.body)).toMatchObject({ outcome: 'suppressed', reason: 'smtp_not_configured', statusCode: null });
  const { status, reason, attemptLog } = DeliveryDetail.parse((await tenant.ask('GET', `/deliveries/${tested.body.deliveryId}`)).body);
  expect({ status, reason }).toEqual({ status: 'suppressed', reason: 'smtp_not_configured' });
  expect(attemptLog).toMatchObject([{ number: 1, outcome: 'suppressed', reason: 'smtp_not_configured' }]);
  expect(Channel.parse((await tenant.ask('GET', `/channels/${body.id}`)).body).lastError).toBe('smtp_not_configured');
});

async function sealedUrl(id: string): Promise<unknown> {
  const { db, secretBox } = world.services;
  const [row] = await withTenantsSql(
    db,
    [tenant.tenantId],
    (sql) => sql<{ secrets: Buffer }[]>`select secrets from channels where id = ${id}`,
  );
  if (row === undefined) throw new Error('no such channel');
  const place = { tenantId: tenant.tenantId, table: 'channels', rowId: id, column: 'secrets' };
  return (JSON.parse(secretBox.open(row.secrets, place)) as { webhookUrl: unknown }).webhookUrl;
}
