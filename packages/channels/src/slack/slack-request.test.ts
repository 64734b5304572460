import { createHmac } from 'node:crypto';
import { describe, expect, test } from 'vitest';
import { isSignedBySlack, readSlackAsk, slackSignatureOf } from './slack-request.ts';

const SECRET = '8f742231b10e8888abcd99yyyzzz85a5';
const AT = 1_531_420_618;
const BODY =
  'token=xyzz0WbapA4vBCDEFasx0q6G&team_id=T1DC2JH3J&team_domain=testteamnow&channel_id=G8PSS9T3V&channel_name=foobar&user_id=U2CERLKJA&user_name=roadrunner&command=%2Fwebhook-collect&text=&response_url=https%3A%2F%2Fhooks.slack.com%2Fcommands%2FT1DC2JH3J%2F397700885554%2F96rGlfmibIGlgcZRskXaIFfN&trigger_id=398738663015.47445629121.803a0bc887a14d10d2c447fce8b6703c';
/** Of the example that Slack publishes beside its way of signing. */
const SIGNATURE = 'v0=a2114d57b48eac39b9ad189dd8316235a7b4a8d21a10bd27519666489c69b503';

const signed = { signature: SIGNATURE, timestamp: `${AT}` };
const isSigned = (change: Partial<typeof signed> = {}, body = BODY, secret = SECRET, nowMs = AT * 1_000): boolean =>
  isSignedBySlack({ ...signed, ...change }, Buffer.from(body), secret, nowMs);
const signatureOf = (timestamp: string): string => `v0=${createHmac('sha256', SECRET).update(`v0:${timestamp}:${BODY}`).digest('hex')}`;

describe('a signature', () => {
  test('of Slack’s own example is right', () => expect(isSigned()).toBe(true));

  test.each<[what: string, isRight: boolean]>([
    ['of another body', isSigned({}, `${BODY}&`)],
    ['of another secret', isSigned({}, BODY, `${SECRET}x`)],
    ['of another time', isSigned({ timestamp: `${AT + 1}` })],
    ['that is altered', isSigned({ signature: SIGNATURE.replace(/.$/, '4') })],
    ['of more than five minutes ago', isSigned({}, BODY, SECRET, (AT + 301) * 1_000)],
    ['of more than five minutes from now', isSigned({}, BODY, SECRET, (AT - 301) * 1_000)],
    ['with zeros before its time', isSigned({ timestamp: `0${AT}` })],
  ])('%s is wrong', (_what, isRight) => expect(isRight).toBe(false));

  test('holds for five minutes either way', () => {
    for (const offset of [-300, 300]) expect(isSigned({}, BODY, SECRET, (AT + offset) * 1_000)).toBe(true);
  });

  test.each<[signature: unknown, timestamp: unknown]>([
    [undefined, `${AT}`],
    [SIGNATURE, undefined],
    [[SIGNATURE], `${AT}`],
    ['', `${AT}`],
    [SIGNATURE.slice(0, -1), `${AT}`],
    [`${SIGNATURE}0`, `${AT}`],
    [SIGNATURE.toUpperCase(), `${AT}`],
    [`${SIGNATURE}\n`, `${AT}`],
    [SIGNATURE.replace('v0', 'v1'), `${AT}`],
    [SIGNATURE, ''],
    [SIGNATURE, '-1'],
    [SIGNATURE, '1e9'],
    [SIGNATURE, '9'.repeat(13)],
  ])('%j at %j is none', (signature, timestamp) => expect(slackSignatureOf(signature, timestamp)).toBeNull());

  test('is read from its headers', () => expect(slackSignatureOf(SIGNATURE, `${AT}`)).toEqual(signed));

  test('without a time that is a number never holds', () => {
    for (const timestamp of ['x', 'Infinity', '']) expect(isSigned({ timestamp, signature: signatureOf(timestamp) })).toBe(false);
  });
});

const form = (fields: Record<string, string>): string => new URLSearchParams(fields).toString();
const command = (change: Record<string, string> = {}): string =>
  form({ command: '/tocsin', text: ' ack  1234 ', user_id: 'U0123456', user_name: 'ann', ...change });
const ID = '01990000-0000-7000-8000-00000000000b';
const press = (change: Record<string, unknown> = {}): string =>
  form({
    payload: JSON.stringify({
      type: 'block_actions',
      user: { id: 'U0123456', username: 'ann', name: 'ann', team_id: 'T0' },
      actions: [{ action_id: 'acknowledge', value: ID, type: 'button', block_id: 'x' }],
      response_url: 'https://hooks.slack.com/actions/T0/1/abc',
      message: { blocks: [] },
      ...change,
    }),
  });

test('a command is read as words, and who typed it', () => {
  expect(readSlackAsk(command())).toEqual({ kind: 'command', command: '/tocsin', words: ['ack', '1234'], user: 'ann/U0123456' });
  expect(readSlackAsk(command({ text: '' }))).toMatchObject({ words: [] });
  expect(readSlackAsk(command({ text: 'x '.repeat(1_000) }))).toMatchObject({ words: ['x', 'x', 'x', 'x', 'x'] });
});

test('a press is read as an action, its alert, and who pressed', () => {
  expect(readSlackAsk(press())).toEqual({
    kind: 'button',
    action: 'acknowledge',
    alertId: ID,
    responseUrl: 'https://hooks.slack.com/actions/T0/1/abc',
    user: 'ann/U0123456',
  });
});

test.each([
  'http://hooks.slack.com/x',
  'https://evil.example/',
  'https://hooks.slack.com@evil.example/',
  'https://hooks.slack.com.evil.example/',
  'https://hooks.slack.com/../x?y',
  'file:///etc/passwd',
])('words for who pressed never go to %s', (url) =>
  expect(readSlackAsk(press({ response_url: url }))).toMatchObject({ responseUrl: null }),
);

test.each(['', 'a b', 'ann\nbob', '<!channel>', 'x'.repeat(81)])('a name such as %j is left out', (name) => {
  expect(readSlackAsk(command({ user_name: name }))).toMatchObject({ user: 'U0123456' });
});

test.each<[what: string, body: string]>([
  ['nothing', ''],
  ['JSON', '{}'],
  ['a command of nobody', command({ user_id: '' })],
  ['a command without a name', command({ command: '' })],
  ['a payload that is no JSON', form({ payload: '{' })],
  ['a payload that is null', form({ payload: 'null' })],
  ['a shortcut', press({ type: 'shortcut' })],
  ['a button of another', press({ actions: [{ action_id: 'delete', value: ID }] })],
  ['a button about no alert', press({ actions: [{ action_id: 'acknowledge', value: 'x' }] })],
  ['no button', press({ actions: [] })],
  [
    'several',
    press({
      actions: [
        { action_id: 'acknowledge', value: ID },
        { action_id: 'silence', value: ID },
      ],
    }),
  ],
  ['nobody', press({ user: {} })],
])('%s is nothing of ours', (_what, body) => expect(readSlackAsk(body)).toBeNull());
