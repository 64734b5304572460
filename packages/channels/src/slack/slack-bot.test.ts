import type { Notification } from '@tocsin/domain';
import { describe, expect, test } from 'vitest';
import { aGroup } from '../../test/a-group.ts';
import { aNotification } from '../../test/a-notification.ts';
import { anOutside, doorError } from '../../test/an-outside.ts';
import type { OutboundAnswer, OutboundCall, Outside } from '../outside.ts';
import { slack } from './slack.ts';

const botToken = ['xoxb', '123456789012', 's3cretpartofthetoken'].join('-');
const config = { botToken, channel: '#alerts' };
const sending = { deliveryId: 'd', alertId: 'a', nowMs: 0 };
const FIRST = { channel: 'C0123456789', ts: '1772366400.000100' };

/** Slack, and the note of a thread, as they answer one after the other. */
function slackSaying(answers: (Partial<OutboundAnswer> | Error)[], known: string | null = null) {
  const calls: (OutboundCall & { method: string; json: Record<string, unknown> })[] = [];
  const notes: string[] = [];
  const outside: Outside = {
    ...anOutside(),
    request: async (call) => {
      calls.push({
        ...call,
        method: call.url.replace('https://slack.com/api/', ''),
        json: JSON.parse(call.body) as Record<string, unknown>,
      } as never);
      const answer = answers[calls.length - 1] ?? { body: JSON.stringify({ ok: true, ...FIRST }) };
      if (answer instanceof Error) throw answer;
      return { status: 200, headers: {}, body: '', ...answer };
    },
    thread: { get: async () => notes.at(-1) ?? known, put: async (thread) => void notes.push(thread) },
  };
  return { outside, calls, notes };
}
const deliver = (outside: Outside, kind: 'fired' | 'resolved' = 'fired') =>
  slack.deliver(slack.render(aNotification({ kind })), config, outside, sending);
const error = (code: string) => ({ body: JSON.stringify({ ok: false, error: code }) });

test('the first message is posted and remembered, the next changes it and answers it', async () => {
  const { outside, calls, notes } = slackSaying([]);
  expect(await deliver(outside)).toMatchObject({ outcome: 'delivered', statusCode: 200 });
  expect(notes).toEqual([JSON.stringify(FIRST)]);
  expect(await deliver(outside, 'resolved')).toMatchObject({ outcome: 'delivered' });
  expect(calls.map(({ method, json: { channel, ts, thread_ts } }) => [method, channel, ts, thread_ts])).toEqual([
    ['chat.postMessage', '#alerts', undefined, undefined],
    ['chat.update', FIRST.channel, FIRST.ts, undefined],
    ['chat.postMessage', FIRST.channel, undefined, FIRST.ts],
  ]);
  expect(calls[1]?.json).toMatchObject({ text: expect.stringContaining('✅ Resolved'), blocks: expect.any(Array) });
  expect(calls[2]?.json).toEqual({
    channel: FIRST.channel,
    thread_ts: FIRST.ts,
    text: expect.stringContaining('✅ Resolved'),
    unfurl_links: false,
    unfurl_media: false,
  });
  for (const { headers, body } of calls) {
    expect(headers['authorization']).toBe(`Bearer ${botToken}`);
    expect(body).not.toContain('s3cret');
  }
});

test('a first message that is gone is followed by a first', async () => {
  const { outside, calls, notes } = slackSaying([error('message_not_found')], JSON.stringify(FIRST));
  expect(await deliver(outside, 'resolved')).toMatchObject({ outcome: 'delivered' });
  expect(calls.map(({ method }) => method)).toEqual(['chat.update', 'chat.postMessage']);
  expect(notes).toHaveLength(1);
});

test('what cannot be changed just now is tried again before anything is said of it', async () => {
  const { outside, calls } = slackSaying([{ status: 429, headers: { 'retry-after': '30' } }], JSON.stringify(FIRST));
  expect(await deliver(outside, 'resolved')).toMatchObject({ outcome: 'retry', reason: 'http_429', retryAfterMs: 30_000 });
  expect(calls).toHaveLength(1);
});

test('a note that is no thread is none', async () => {
  const { outside, calls } = slackSaying([], '{"ts":1}');
  await deliver(outside);
  expect(calls.map(({ method }) => method)).toEqual(['chat.postMessage']);
});

test('a message about no alert begins no thread', async () => {
  const { outside, calls } = slackSaying([]);
  expect(await deliver({ ...outside, thread: null })).toMatchObject({ outcome: 'delivered' });
  expect(calls).toHaveLength(1);
});

test('a message of several alerts changes none of one alert, and is not changed by the end of one', async () => {
  const { outside, calls, notes } = slackSaying([], JSON.stringify(FIRST));
  expect(await slack.deliver(slack.render(aGroup()), config, outside, sending)).toMatchObject({ outcome: 'delivered' });
  expect(calls.map(({ method, json: { channel, thread_ts } }) => [method, channel, thread_ts])).toEqual([
    ['chat.postMessage', '#alerts', undefined],
  ]);
  expect(calls[0]?.json).not.toHaveProperty('isGroup');
  expect(notes).toEqual([]);
});

describe('buttons', () => {
  const signingSecret = '0123456789abcdef0123456789abcdef';
  const handle = { acknowledge: 'https://tocsin.example/links/a', silence: 'https://tocsin.example/links/s' };
  const send = async (notification: Notification, more: Record<string, unknown>) => {
    const { outside, calls } = slackSaying([]);
    await slack.deliver(slack.render(notification), { ...config, ...more }, outside, sending);
    return { json: calls[0]?.json, blocks: calls[0]?.json['blocks'] as { type: string; elements?: unknown[] }[] };
  };
  const buttonsOf = async (notification: Notification, more: Record<string, unknown> = { signingSecret }) =>
    (await send(notification, more)).blocks.flatMap(({ type, elements }) => (type === 'actions' ? (elements ?? []) : []));

  test('stand where the channel hears of presses, in place of the links, and name their alert', async () => {
    const { json, blocks } = await send(aNotification({ handle }), { signingSecret });
    expect(blocks.filter(({ type }) => type === 'actions')).toEqual([
      {
        type: 'actions',
        elements: [
          { type: 'button', action_id: 'acknowledge', value: 'a', text: { type: 'plain_text', text: 'Acknowledge' } },
          { type: 'button', action_id: 'silence', value: 'a', text: { type: 'plain_text', text: 'Silence for 1 h' } },
        ],
      },
    ]);
    expect(blocks.at(-1)?.type).toBe('context');
    expect(JSON.stringify(blocks)).not.toContain('/links/');
    expect(JSON.stringify(blocks)).toContain('Open alert');
    expect(json).not.toHaveProperty('handle');
  });

  test('need no public URL', async () => expect(await buttonsOf(aNotification())).toHaveLength(2));

  test('are links where it does not', async () => {
    const { json, blocks } = await send(aNotification({ handle }), {});
    expect(blocks.some(({ type }) => type === 'actions')).toBe(false);
    expect(JSON.stringify(blocks)).toContain(
      '<https://tocsin.example/links/a|Acknowledge>  ·  <https://tocsin.example/links/s|Silence for 1 h>',
    );
    expect(json).not.toHaveProperty('handle');
  });

  test('are gone as soon as there is nothing to be done', async () => {
    expect(await buttonsOf(aNotification({ alert: { status: 'acknowledged' } }))).toMatchObject([{ action_id: 'silence' }]);
    expect(await buttonsOf(aNotification({ kind: 'resolved', alert: { status: 'resolved' } }))).toEqual([]);
    expect(await buttonsOf(aNotification({ kind: 'test' }))).toEqual([]);
    expect(await buttonsOf(aGroup())).toEqual([]);
  });
});

describe('a 200 that says what went wrong', () => {
  test.each(['channel_not_found', 'not_in_channel', 'invalid_auth', 'token_revoked', 'is_archived', 'invalid_blocks'])(
    '%s: final',
    async (code) => {
      expect(await deliver(slackSaying([error(code)]).outside)).toMatchObject({
        outcome: 'rejected',
        reason: `slack_${code}`,
        disable: false,
      });
    },
  );

  test.each(['ratelimited', 'internal_error', 'service_unavailable'])('%s: tried again', async (code) => {
    expect(await deliver(slackSaying([error(code)]).outside)).toMatchObject({ outcome: 'retry', reason: `slack_${code}` });
  });

  test.each(['', 'ok', '<html>', '{"ok":false}', '{"ok":false,"error":"Not a Code!"}', '[]'])('%j: tried again', async (body) => {
    expect(await deliver(slackSaying([{ body }]).outside)).toMatchObject({ outcome: 'retry', reason: 'bad_response' });
  });
});

test('statuses and failures mean what they mean elsewhere', async () => {
  for (const [answer, meaning] of [
    [{ status: 503 }, { outcome: 'retry', reason: 'http_503' }],
    [{ status: 404 }, { outcome: 'rejected', reason: 'http_404' }],
    [doorError('timeout'), { outcome: 'retry', reason: 'timeout' }],
    [doorError('redirect', 302), { outcome: 'rejected', reason: 'redirect', statusCode: 302 }],
  ] as const)
    expect(await deliver(slackSaying([answer]).outside)).toMatchObject(meaning);
});

test('the token is in nothing that is kept', async () => {
  for (const answer of [
    { status: 500, body: `echo ${botToken}` },
    { body: `{"ok":false,"error":"x_y","echo":"${botToken}"}` },
    new Error(botToken),
  ])
    expect(JSON.stringify(await deliver(slackSaying([answer]).outside))).not.toContain('s3cretpart');
});

test.each([
  {},
  { botToken },
  { channel: '#alerts' },
  { botToken, channel: '#alerts', webhookUrl: 'https://hooks.slack.example/x' },
  { webhookUrl: 'https://hooks.slack.example/x', channel: '#alerts' },
  { botToken: 'hunter2', channel: '#alerts' },
  { botToken, channel: 'a b' },
  { botToken, channel: '#alerts', signingSecret: 'short' },
  { webhookUrl: 'https://hooks.slack.example/x', signingSecret: '0123456789abcdef0123456789abcdef' },
])('%j is refused', (wrong) => expect(slack.config.safeParse(wrong).success).toBe(false));
