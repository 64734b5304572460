import { newId } from '@tocsin/db';
import { createHmac } from 'node:crypto';
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { alertActors } from './alert-actors.ts';
import { type Actor, type Answer, expectProblem, openWorld, type World } from './open-world.ts';

const SECRET = '0123456789abcdef0123456789abcdef';
const BOT = ['xoxb', '123456789012', 's3cretpartofthetoken'].join('-');
const FORM = 'application/x-www-form-urlencoded';

let world: World;
let acme: Actor;
let alerts: Awaited<ReturnType<typeof alertActors>>;
let channelId: string;
let id: string;
/** What whoever pressed a button was told. */
const told: { url: string; text: string }[] = [];

beforeAll(async () => {
  world = await openWorld();
  const { outbound } = world.services;
  outbound.request = async ({ url, body = '' }) => {
    told.push({ url, text: JSON.parse(String(body)).text });
    return { status: 200, headers: {}, body: 'ok', truncated: false };
  };
  acme = await world.tenant('Acme');
  alerts = await alertActors(world, acme);
  channelId = await channelOf(acme, 'slack');
});
beforeEach(async () => {
  id = await alerts.open('gpt-4o');
  told.length = 0;
});
afterAll(() => world.close());

async function channelOf(tenant: Actor, key: string, config: Record<string, unknown> = { signingSecret: SECRET }): Promise<string> {
  const body = { key, name: key, kind: 'slack', config: { botToken: BOT, channel: '#alerts', ...config } };
  const made = await tenant.ask('POST', '/channels', body);
  expect(made.status, made.text).toBe(201);
  expect(made.text).not.toContain(SECRET);
  return made.body.id;
}

interface Sent {
  body: string;
  headers: Record<string, string>;
}

/** As Slack signs what it sends. */
function signed(body: string, { secret = SECRET, atMs = Date.now() } = {}): Sent {
  const timestamp = `${Math.floor(atMs / 1_000)}`;
  const signature = `v0=${createHmac('sha256', secret).update(`v0:${timestamp}:${body}`).digest('hex')}`;
  return { body, headers: { 'content-type': FORM, 'x-slack-signature': signature, 'x-slack-request-timestamp': timestamp } };
}
const post = ({ body, headers }: Sent, to = channelId, tenantId = acme.tenantId): Promise<Answer> =>
  world.askWith(null)('POST', `/api/v1/tenants/${tenantId}/channels/${to}/slack`, body, headers);

const command = (text: string): string =>
  new URLSearchParams({ command: '/tocsin', text, user_id: 'U0123456', user_name: 'ann' }).toString();
const press = (action: string, value: string): string =>
  new URLSearchParams({
    payload: JSON.stringify({
      type: 'block_actions',
      user: { id: 'U0123456', username: 'ann' },
      actions: [{ action_id: action, value }],
      response_url: 'https://hooks.slack.com/actions/T0/1/abc',
    }),
  }).toString();
const typed = async (text: string): Promise<string> => {
  const { status, body } = await post(signed(command(text)));
  expect([status, body.response_type]).toEqual([200, 'ephemeral']);
  return body.text;
};
const shown = async (alertId = id) => (await acme.ask('GET', `/alerts/${alertId}`)).body;
const short = (): string => id.slice(-8);

describe('a button', () => {
  test('acknowledges in the name of who pressed it, who alone is told', async () => {
    expect(await post(signed(press('acknowledge', id)))).toMatchObject({ status: 200, text: '' });
    const alert = await shown();
    expect(alert).toMatchObject({ status: 'acknowledged', acknowledgedBy: 'slack:ann/U0123456' });
    expect(alert.timeline).toContainEqual(expect.objectContaining({ kind: 'acknowledged', actor: 'slack:ann/U0123456' }));
    expect(told).toEqual([{ url: 'https://hooks.slack.com/actions/T0/1/abc', text: 'Acknowledged.' }]);
  });

  test('silences for an hour', async () => {
    await post(signed(press('silence', id)));
    const { silencedUntil, status } = await shown();
    expect(status).toBe('triggered');
    expect(Math.abs(Date.parse(silencedUntil) - Date.now() - 3_600_000)).toBeLessThan(600_000);
  });

  test('of an alert that is over, or that nobody has, says so', async () => {
    await acme.ask('POST', `/alerts/${id}/resolve`);
    await post(signed(press('acknowledge', id)));
    await post(signed(press('acknowledge', newId())));
    expect(told.map(({ text }) => text)).toEqual(['The alert is over.', 'There is no such alert.']);
  });

  test("of another tenant's alert says what is said of one nobody has", async () => {
    const other = await world.tenant('Other');
    const theirs = await channelOf(other, 'theirs');
    await post(signed(press('acknowledge', id)), theirs, other.tenantId);
    expect(told.map(({ text }) => text)).toEqual(['There is no such alert.']);
    expect(await shown()).toMatchObject({ status: 'triggered' });
  });
});

describe('the command', () => {
  test('lists what is open, with ids that it takes', async () => {
    const text = await typed('list');
    expect(text.split('\n')[0]).toMatch(new RegExp(`^\`${short()}\` · warning · Slow calls · model=gpt-4o · triggered · since 20`));
    expect(text.split('\n').length).toBeLessThanOrEqual(11);
  });

  test('acknowledges, silences and resolves by the end of an id or the whole', async () => {
    expect(await typed(`ack ${short()}`)).toContain('Acknowledged: ');
    expect(await shown()).toMatchObject({ status: 'acknowledged', acknowledgedBy: 'slack:ann/U0123456' });
    expect(await typed(`silence ${id} 2h`)).toContain('Silenced: ');
    expect(Math.abs(Date.parse((await shown()).silencedUntil) - Date.now() - 7_200_000)).toBeLessThan(600_000);
    expect(await typed(`resolve ${short().toUpperCase()}`)).toContain('Resolved: ');
    expect(await shown()).toMatchObject({ status: 'resolved', resolvedBy: 'slack:ann/U0123456' });
    expect(await typed(`ack ${short()}`)).toBe('There is no such open alert.');
    expect(await typed(`ack ${id}`)).toBe('The alert is over.');
  });

  test.each(['', 'help', 'frobnicate', 'ack', 'list all', 'ack a b', 'silence a', 'silence a b c d', 'resolve a b', 'unsilence a'])(
    '%j is answered with help, and does nothing',
    async (text) => {
      expect(await typed(text)).toContain('`/tocsin silence &lt;id&gt; &lt;duration&gt;` silences it');
      expect(await shown()).toMatchObject({ status: 'triggered', silencedUntil: null });
    },
  );

  test.each(['ack nothing', 'ack 00000000', 'resolve <!channel>', 'silence ABC soon'])('%j says what is wrong', async (text) => {
    expect(await typed(text)).toMatch(/^There is no such (open )?alert\.$/);
  });

  test('a length of time that is none is said, and silences nothing', async () => {
    expect(await typed(`silence ${id} <soon>`)).not.toMatch(/[<>]/);
    expect(await shown()).toMatchObject({ silencedUntil: null });
  });

  test('names from elsewhere call nobody', async () => {
    await alerts.open('<!channel>', { ruleName: '<!here> & co' });
    const text = await typed('list');
    expect(text).toContain('&lt;!here&gt; &amp; co');
    expect(text).not.toContain('<!');
  });
});

test.each<[what: string, send: (body: string) => Sent]>([
  ['no signature', (body) => ({ body, headers: { 'content-type': FORM } })],
  ['the secret of another', (body) => signed(body, { secret: 'fedcba9876543210fedcba9876543210' })],
  ['an empty secret', (body) => signed(body, { secret: '' })],
  ['a signature of ten minutes ago', (body) => signed(body, { atMs: Date.now() - 600_000 })],
  ['a signature of ten minutes from now', (body) => signed(body, { atMs: Date.now() + 600_000 })],
  ['the signature of another body', (body) => ({ ...signed(`${body}&`), body })],
  ["another request's time", (body) => withTime(signed(body), 1)],
])('%s is a 403, and does nothing', async (_what, send) => {
  for (const body of [press('acknowledge', id), command(`ack ${id}`)])
    expectProblem(await post(send(body)), 'slack_signature_required', 403);
  expect(await shown()).toMatchObject({ status: 'triggered' });
});

test('what another channel’s app signed, or is sent to no channel of Slack, is the same 403, word for word', async () => {
  const other = await world.tenant('Other');
  const theirs = await channelOf(other, 'theirs', { signingSecret: 'fedcba9876543210fedcba9876543210' });
  const deaf = await channelOf(acme, 'deaf', {});
  const off = await channelOf(acme, 'off');
  await acme.ask('PATCH', `/channels/${off}`, { enabled: false });
  const { body: inbox } = await acme.ask('POST', '/channels', { key: 'inbox', name: 'Inbox', kind: 'inbox' });
  const sent = signed(command('list'));
  const answers = [
    await post(sent, theirs, other.tenantId),
    await post(sent, theirs),
    await post(sent, channelId, other.tenantId),
    await post(sent, deaf),
    await post(sent, off),
    await post(sent, inbox.id),
    await post(sent, newId()),
    await post(sent, channelId, newId()),
    await post(sent, 'x', 'y'),
  ];
  for (const answer of answers) expect(expectProblem(answer, 'slack_signature_required', 403).detail).toBe(answers[0]?.body.detail);
});

test('the same request once more is answered the same and does nothing', async () => {
  const [ack, silence] = [signed(press('acknowledge', id)), signed(command(`silence ${id} 2h`))];
  await post(ack);
  const first = await post(silence);
  await acme.ask('POST', `/alerts/${id}/unacknowledge`);
  await acme.ask('POST', `/alerts/${id}/unsilence`);
  expect((await post(ack)).status).toBe(200);
  expect((await post(silence)).body).toEqual(first.body);
  expect(await shown()).toMatchObject({ status: 'active', acknowledgedBy: null, silencedUntil: null });
});

test('a body that is no form is a 415, one too large a 413, and one that says nothing of ours is answered', async () => {
  const json = signed('{}');
  expectProblem(await post({ ...json, headers: { ...json.headers, 'content-type': 'application/json' } }), 'unsupported_media_type', 415);
  expectProblem(await post(signed(`text=${'x'.repeat(300_000)}`)), 'too_large', 413);
  expect((await post(signed('a=b'))).body).toEqual({ response_type: 'ephemeral', text: 'That is nothing Tocsin knows.' });
  expect((await post(signed(''))).status).toBe(200);
});

test('a signing secret is shown masked, stays when its mask comes back, and is taken away by null', async () => {
  const made = await channelOf(acme, 'masked');
  const { body } = await acme.ask('GET', `/channels/${made}`);
  expect(body.config.signingSecret).toBe('••••cdef');
  await acme.ask('PATCH', `/channels/${made}`, { config: body.config });
  expect((await post(signed(command('list')), made)).status).toBe(200);
  await acme.ask('PATCH', `/channels/${made}`, { config: { ...body.config, signingSecret: null } });
  expect((await post(signed(command('list')), made)).status).toBe(403);
});

function withTime(sent: Sent, moreSeconds: number): Sent {
  const timestamp = `${Number(sent.headers['x-slack-request-timestamp']) + moreSeconds}`;
  return { ...sent, headers: { ...sent.headers, 'x-slack-request-timestamp': timestamp } };
}
