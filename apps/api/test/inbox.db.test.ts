import { InboxMessage } from '@tocsin/contracts';
import { newId, putInboxMessage, withTenantsSql } from '@tocsin/db';
import { afterAll, beforeAll, beforeEach, expect, test, vi } from 'vitest';
import { type Actor, expectProblem, openWorld, type World } from './open-world.ts';

let world: World;
let acme: Actor;
let address: string;
beforeAll(async () => {
  world = await openWorld();
  address = await world.app.listen({ host: '127.0.0.1', port: 0 });
});
afterAll(() => world.close());
beforeEach(async () => {
  acme = await world.tenant();
});

/** Puts a message into the tenant's inbox; answers its id. */
async function put({ tenantId }: Actor, title: string): Promise<string> {
  const id = newId();
  const message = { tenantId, id, deliveryId: newId(), alertId: null, title, body: { text: title } };
  await withTenantsSql(world.services.db, [tenantId], (sql) => putInboxMessage(sql, message));
  return id;
}

interface Listener {
  /** What has come, with its id. */
  heard: { id: string; message: InboxMessage }[];
  /** Everything, as it was sent. */
  text: () => string;
  leave: () => void;
  /** Once the server has ended it. */
  ended: Promise<void>;
}

async function listen(tenant: Actor, headers: Record<string, string> = {}): Promise<Listener> {
  const leaving = new AbortController();
  const key = await tenant.apiKey('viewer');
  const answer = await fetch(`${address}/api/v1/inbox/stream`, {
    headers: { authorization: `Bearer ${key}`, ...headers },
    signal: leaving.signal,
  });
  expect(answer.status).toBe(200);
  expect(answer.headers.get('content-type')).toBe('text/event-stream; charset=utf-8');
  let text = '';
  const heard: Listener['heard'] = [];
  const reading = async (): Promise<void> => {
    const decoder = new TextDecoder();
    let rest = '';
    for await (const bytes of answer.body!) {
      const part = decoder.decode(bytes as Uint8Array, { stream: true });
      text += part;
      const blocks = (rest + part).split('\n\n');
      rest = blocks.pop() ?? '';
      for (const block of blocks) {
        const [, id, data] = /^event: message\nid: (.+)\ndata: (.+)$/.exec(block) ?? [];
        if (id !== undefined && data !== undefined) heard.push({ id, message: InboxMessage.parse(JSON.parse(data)) });
      }
    }
  };
  return { heard, text: () => text, leave: () => leaving.abort(), ended: reading().catch(() => undefined) };
}

const titles = ({ heard }: Listener): string[] => heard.map(({ message }) => message.title);
const untilHeard = (listener: Listener, expected: readonly string[]): Promise<void> =>
  vi.waitFor(() => expect(titles(listener)).toEqual(expected), { timeout: 45_000, interval: 20 });

test('messages are unread until somebody marks them, one by one or all up to one, and can be unread again', async () => {
  const [first, second, third] = [await put(acme, 'one'), await put(acme, 'two'), await put(acme, 'three')];
  const unread = async () => (await acme.ask('GET', '/inbox/unread')).body;
  expect(await unread()).toEqual({ unread: 3, isMore: false });
  expect((await acme.ask('POST', '/inbox/read', { ids: [second] })).body).toEqual({ unread: 2, isMore: false });
  const { body: list } = await acme.ask('GET', '/inbox?unread=false');
  expect(list.data).toMatchObject([{ id: second, readAt: expect.any(String) as string }]);
  const { readAt } = list.data[0];
  expect((await acme.ask('POST', '/inbox/read', { ids: [second, newId()] })).body).toEqual({ unread: 2, isMore: false });
  expect((await acme.ask('GET', '/inbox?unread=false')).body.data[0].readAt).toBe(readAt);
  expect((await acme.ask('POST', '/inbox/read', { upTo: second })).body).toEqual({ unread: 1, isMore: false });
  expect((await acme.ask('GET', '/inbox?unread=true')).body.data).toMatchObject([{ id: third }]);
  expect((await acme.ask('POST', '/inbox/unread', { ids: [first, third] })).body).toEqual({ unread: 2, isMore: false });
});

test('another tenant’s messages can be neither marked nor counted', async () => {
  const other = await world.tenant('Other');
  const id = await put(acme, 'mine');
  expect((await other.ask('POST', '/inbox/read', { ids: [id] })).body).toEqual({ unread: 0, isMore: false });
  expect((await other.ask('POST', '/inbox/read', { upTo: id })).body).toEqual({ unread: 0, isMore: false });
  expect((await acme.ask('GET', '/inbox/unread')).body).toEqual({ unread: 1, isMore: false });
});

test.each([{}, { ids: [], upTo: undefined }, { ids: ['1'] }, { ids: [newId()], upTo: newId() }, { upTo: 'last' }, { all: true }])(
  'a wish to mark that does not say what is refused: %j',
  async (body) => {
    expectProblem(await acme.ask('POST', '/inbox/read', body), 'invalid', 422);
  },
);

test('a viewer may listen and not mark', async () => {
  const viewer = await acme.as('viewer');
  expectProblem(await viewer('POST', '/inbox/read', { ids: [newId()] }), 'forbidden', 403);
  expect((await viewer('GET', '/inbox/unread')).body).toEqual({ unread: 0, isMore: false });
});

test('whoever listens hears each message of their tenant once, as it comes', async () => {
  await put(acme, 'before');
  const other = await world.tenant('Other');
  const [one, two, stranger] = [await listen(acme), await listen(acme), await listen(other)];
  await put(acme, 'one');
  await put(other, 'theirs');
  await untilHeard(one, ['one']);
  await put(acme, 'two');
  for (const listener of [one, two]) await untilHeard(listener, ['one', 'two']);
  await untilHeard(stranger, ['theirs']);
  expect(one.heard.map(({ id, message }) => id === message.id)).toEqual([true, true]);
  expect(one.text()).toMatch(/^retry: 3000\n\n/);
  for (const listener of [one, two, stranger]) listener.leave();
});

test('whoever comes again hears what was missed, and then goes on', async () => {
  const listener = await listen(acme);
  await put(acme, 'one');
  await untilHeard(listener, ['one']);
  listener.leave();
  await listener.ended;
  const last = listener.heard[0]!.id;
  await put(acme, 'two');
  const again = await listen(acme, { 'last-event-id': last });
  await untilHeard(again, ['two']);
  await put(acme, 'three');
  await untilHeard(again, ['two', 'three']);
  again.leave();
});

test('a last message that cannot be one is refused, and one that is not there is as none', async () => {
  expectProblem(await acme.ask('GET', '/inbox/stream', undefined, { 'last-event-id': 'x' }), 'not_found', 404);
  expectProblem(await acme.ask('GET', '/inbox/stream?unread=true'), 'invalid', 422);
  const listener = await listen(acme, { 'last-event-id': newId() });
  await put(acme, 'one');
  await untilHeard(listener, ['one']);
  listener.leave();
});

test('more than twenty listeners of a tenant are asked to come later; one that leaves makes room', async () => {
  const listeners = await Promise.all(Array.from({ length: 20 }, () => listen(acme)));
  const refused = await acme.ask('GET', '/inbox/stream');
  expectProblem(refused, 'too_many_requests', 429);
  expect(refused.headers['retry-after']).toBe('10');
  listeners[0]!.leave();
  const next = await vi.waitFor(() => listen(acme), { timeout: 45_000, interval: 50 });
  for (const listener of [...listeners, next]) listener.leave();
});

test('a server that stops ends those who listen', async () => {
  const stopping = await openWorld();
  const tenant = await stopping.tenant();
  const base = await stopping.app.listen({ host: '127.0.0.1', port: 0 });
  const answer = await fetch(`${base}/api/v1/inbox/stream`, { headers: { authorization: `Bearer ${await tenant.apiKey('viewer')}` } });
  const text = answer.text();
  await stopping.close();
  expect(await text).toBe('retry: 3000\n\n');
});
