import { openOutbound } from '@tocsin/runtime';
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { type Actor, expectProblem, openWorld, type World } from './open-world.ts';

let world: World;
let tenant: Actor;
/** What every name resolves to just now. */
let addresses = ['93.184.216.34'];
let asked = 0;

const outbound = openOutbound({
  allowHttp: true,
  allowCidrs: [],
  resolve: async () => {
    asked += 1;
    return addresses;
  },
});

beforeAll(async () => {
  world = await openWorld({ outbound });
  tenant = await world.tenant();
});
beforeEach(() => {
  addresses = ['93.184.216.34'];
});
afterAll(async () => {
  await world.close();
  await outbound.close();
});

/** The field that holds the address, by kind, and what it needs beside it; null: the kind calls no address that a tenant names. */
const ADDRESS_OF: Readonly<Record<string, { field: string; more?: Record<string, unknown> } | null>> = {
  webhook: { field: 'url' },
  slack: { field: 'webhookUrl' },
  teams: { field: 'webhookUrl' },
  discord: { field: 'webhookUrl' },
  'google-chat': { field: 'webhookUrl' },
  mattermost: { field: 'webhookUrl' },
  opsgenie: { field: 'apiUrl', more: { apiKey: 'eb243592-faa2-4ba2-a551-1afdf565c889' } },
  telegram: { field: 'apiUrl', more: { botToken: '123456789:AAE-tokenofthirtyfivecharactersxx', chatId: '-100123' } },
  ntfy: { field: 'serverUrl', more: { topic: 'acme' } },
  // a host and a port, below
  email: null,
  pagerduty: null,
  inbox: null,
  log: null,
};
const OVER_A_NETWORK = Object.entries(ADDRESS_OF).flatMap(([kind, where]) =>
  where === null ? [] : [[kind, where.field, where.more ?? {}] as const],
);

const REFUSED = [
  'http://2130706433/',
  'http://0x7f.1/',
  'http://127。0。0。1/',
  'http://[::ffff:169.254.169.254]/',
  'http://[64:ff9b::a00:1]/',
  'http://[2002:7f00:1::]/',
  'http://[fe80::1%25eth0]/',
  'http://metadata.google.internal/',
  'http://LOCALHOST./',
  'https://user:hunter2@receiver.example/',
  'https://receiver.example:6379/',
  'https://receiver.example\\@127.0.0.1/',
  'ws://receiver.example/',
  'gopher://receiver.example/',
];
const INSIDE = [['10.0.0.1'], ['93.184.216.34', '::1'], ['169.254.169.254'], ['::ffff:127.0.0.1'], ['fd00:ec2::254']];

test('every kind of channel says here where its address is', async () => {
  const { errors } = expectProblem(await tenant.ask('POST', '/channels', { key: 'x', name: 'X', kind: 'none of them' }), 'invalid', 422);
  const kinds = /there are ([^.]+)\./.exec(errors?.[0]?.message ?? '')?.[1]?.split(', ');
  expect(kinds?.sort()).toEqual(Object.keys(ADDRESS_OF).sort());
});

describe.each(OVER_A_NETWORK)('the address of a %s channel', (kind, field, more) => {
  const body = (key: string, url: string) => ({ key, name: 'X', kind, config: { ...more, [field]: url } });

  test('that may not be called is refused when it is made and when it is changed', async () => {
    const { body: kept } = await tenant.ask('POST', '/channels', body(`${kind}-kept`, 'https://receiver.example/in'));
    for (const url of REFUSED) {
      for (const answer of [
        await tenant.ask('POST', '/channels', body(`${kind}-bad`, url)),
        await tenant.ask('PATCH', `/channels/${kept.id}`, { config: { ...more, [field]: url } }),
      ]) {
        expect([answer.status, answer.body.errors?.[0]?.pointer], url).toEqual([422, `/config/${field}`]);
        expect(answer.text, url).not.toMatch(/hunter2|127\.0\.0\.1|169\.254/);
      }
    }
    expect((await tenant.ask('GET', `/channels/${kept.id}`)).body.version).toBe(1);
  });

  test.each(INSIDE)('that leads to %s is refused when it is saved', async (...inside) => {
    addresses = inside;
    expectProblem(await tenant.ask('POST', '/channels', body(`${kind}-inside`, 'https://inside.example/')), 'url_not_allowed', 422);
  });

  test.each(INSIDE)('that was public when saved and leads to %s when sent to is not called', async (...inside) => {
    const key = `${kind}-${inside.join().replace(/[^a-f0-9]/g, '')}`;
    const { body: made } = await tenant.ask('POST', '/channels', body(key, 'http://rebinding.example/'));
    addresses = inside;
    asked = 0;
    const { body: tested } = await tenant.ask('POST', `/channels/${made.id}/test`);
    expect(tested).toMatchObject({ outcome: 'rejected', reason: 'blocked_address', statusCode: null, responseExcerpt: null });
    expect(asked).toBe(1);
  });
});

describe('the mail server of an e-mail channel', () => {
  const body = (key: string, smtpHost: string, smtpPort = 587) => ({
    key,
    name: 'X',
    kind: 'email',
    config: { to: ['ops@example.com'], from: 'alerts@example.com', smtpHost, smtpPort },
  });

  test.each([
    '2130706433',
    '0x7f.1',
    'localhost.',
    '[::1]',
    '::ffff:169.254.169.254',
    'metadata.google.internal',
    'user@mail.example',
    'mail.example/x',
  ])('at %s is refused when it is saved', async (host) => {
    const { errors } = expectProblem(await tenant.ask('POST', '/channels', body('mail-bad', host)), 'url_not_allowed', 422);
    expect(errors?.[0]?.pointer).toBe('/config/smtpHost');
  });

  test.each([25, 80, 6_379])('on port %i is refused', async (port) => {
    expectProblem(await tenant.ask('POST', '/channels', body('mail-bad', 'mail.example', port)), 'url_not_allowed', 422);
  });

  test.each(INSIDE)('that was public when saved and leads to %s when sent to is not connected to', async (...inside) => {
    const { body: made } = await tenant.ask(
      'POST',
      '/channels',
      body(`mail-${inside.join().replace(/[^a-f0-9]/g, '')}`, 'rebinding.example'),
    );
    addresses = inside;
    asked = 0;
    const { body: tested } = await tenant.ask('POST', `/channels/${made.id}/test`);
    expect(tested).toMatchObject({ outcome: 'rejected', reason: 'blocked_address', statusCode: null, responseExcerpt: null });
    expect(asked).toBe(1);
  });
});

test('an address of our own leads nowhere: no route takes what we send, so that nothing goes in circles', async () => {
  const sent: { url: string; headers: Record<string, string>; body: string }[] = [];
  const catching = {
    ...outbound,
    request: async (call: { url: string; headers?: Readonly<Record<string, string>>; body?: string }) => {
      sent.push({ url: call.url, headers: { ...call.headers }, body: call.body ?? '' });
      return { status: 200, headers: {}, body: '', truncated: false };
    },
  };
  const looping = await openWorld({
    outbound: {
      ...catching,
      fetch: async (url, init) => {
        if (url instanceof Request || typeof init?.body !== 'string') throw new TypeError('a kind of fetch the door does not offer');
        await catching.request({ url: url.toString(), headers: Object.fromEntries(new Headers(init.headers)), body: init.body });
        return new Response('ok');
      },
    },
  });
  const actor = await looping.tenant();
  const key = await actor.apiKey('admin');
  for (const [kind, field, more] of OVER_A_NETWORK) {
    const { body } = await actor.ask('POST', '/channels', {
      key: kind,
      name: 'X',
      kind,
      config: { ...more, [field]: 'https://tocsin.test/api/v1/events' },
    });
    expect((await actor.ask('POST', `/channels/${body.id}/test`)).body).toMatchObject({ outcome: 'delivered' });
  }
  expect(sent).toHaveLength(OVER_A_NETWORK.length);
  const routes = looping.app.permissions().filter(({ method, url }) => method === 'POST' && url.startsWith('/api/v1/'));
  for (const { headers, body } of sent) {
    for (const { url } of routes) {
      const answer = await looping.app.inject({
        method: 'POST',
        url: url.replace(/:\w+/g, actor.tenantId),
        payload: body,
        headers: { ...headers, authorization: `Bearer ${key}` },
      });
      expect(answer.statusCode, `${url} ${answer.body}`).toBeGreaterThanOrEqual(400);
    }
  }
  await looping.close();
});
