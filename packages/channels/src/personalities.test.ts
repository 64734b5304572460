import { openOutbound, type Outbound } from '@tocsin/runtime';
import { afterEach, describe, expect, test } from 'vitest';
import { aNotification } from '../test/a-notification.ts';
import { anOutside } from '../test/an-outside.ts';
import { EXAMPLES } from '../test/examples.ts';
import { answer, type Personality, NOW, PERSONALITIES, receiver } from '../test/receivers.ts';
import { type Channel, channels, splitSecrets, type Outside, type Verdict } from './index.ts';
import { leaves } from './secrets.ts';

/** Channels that go nowhere, or by SMTP: `email-over-smtp.test.ts` is the like of this for the mail. */
const NOT_HTTP = new Set(['email', 'inbox', 'log']);
const BOT = { botToken: ['xoxb', '123456789012', 's3cretpartofthetoken'].join('-'), channel: '#alerts' };

interface Case {
  name: string;
  channel: Channel;
  config: Record<string, unknown>;
}
const CASES: Case[] = channels
  .filter(({ kind }) => !NOT_HTTP.has(kind))
  .flatMap((channel) => [
    { name: channel.kind, channel, config: channel.config.parse(EXAMPLES[channel.kind]) },
    ...(channel.kind === 'slack' ? [{ name: 'slack by bot', channel, config: channel.config.parse(BOT) }] : []),
  ]);

const ending: (() => Promise<void>)[] = [];
afterEach(async () => {
  for (const end of ending.splice(0).reverse()) await end();
});

/** Names that were to be resolved: none, since all go to a loopback address. */
const resolved: string[] = [];

/** The door itself. Short of patience where only that ends a call, else with its own, so that a slow machine changes nothing. */
function doorFor({ isEndless }: Pick<Personality, 'isEndless'>): Outbound {
  resolved.length = 0;
  const door = openOutbound({
    allowHttp: true,
    allowCidrs: ['127.0.0.0/8'],
    resolve: async (name) => {
      resolved.push(name);
      return ['127.0.0.1'];
    },
    ...(isEndless === true ? { limits: { connectMs: 400, totalMs: 400 } } : {}),
  });
  ending.push(() => door.close());
  return door;
}

/** The world, all of which is at `origin`: what is called keeps its path and what it is sent. */
function outsideAt(door: Outbound, origin: string): Outside {
  const moved = (url: string): string => {
    const { pathname, search } = new URL(url);
    return `${origin}${pathname}${search}`;
  };
  return {
    ...anOutside(),
    request: (call, signal) => door.request({ ...call, url: moved(call.url) }, signal),
    fetch: (url, init) => door.fetch(moved(new Request(url).url), init),
  };
}

const deliver = ({ channel, config }: Case, outside: Outside): Promise<Verdict> =>
  channel.deliver(channel.render(aNotification()), config, outside, { deliveryId: 'd', alertId: 'a', nowMs: NOW });

/** Of a configuration: its secrets, and of an address or a header the part that would do. */
const secretsOf = ({ channel, config }: Case): string[] =>
  leaves(splitSecrets(channel, config).secrets).flatMap((secret) => [secret, secret.slice(secret.search(/[^ /_=]+$/))]);

/** An answer of 200 that repeats what was asked is none that Slack gives its bots: who does not say `ok` has not done it. */
const IN_OWN_WORDS = { outcome: 'retry', reason: 'bad_response', statusCode: 200 };
const expectedOf = ({ name }: Case, { verdict }: Personality) =>
  name === 'slack by bot' && verdict['outcome'] === 'delivered' ? IN_OWN_WORDS : verdict;

describe.each(PERSONALITIES)('a receiver that $name', (personality) => {
  test('is judged alike by every channel, tells nobody a secret, and keeps no connection', async () => {
    const told = await Promise.all(
      CASES.map(async (each) => {
        const there = await receiver(personality);
        ending.push(there.close);
        const verdict = await deliver(each, outsideAt(doorFor(personality), there.origin));
        await there.isLeft();
        return { each, verdict, there };
      }),
    );
    expect(Object.fromEntries(told.map(({ each, verdict }) => [each.name, verdict]))).toEqual(
      Object.fromEntries(CASES.map((each) => [each.name, expect.objectContaining(expectedOf(each, personality))])),
    );
    for (const { each, verdict, there } of told) {
      for (const secret of secretsOf(each)) expect(JSON.stringify(verdict)).not.toContain(secret);
      expect(verdict.responseExcerpt?.length ?? 0).toBeLessThanOrEqual(1_024);
      expect(verdict.responseExcerpt ?? '').not.toContain('aaaa');
      expect(there.connections()).toBe(1);
      expect(there.written()).toBeLessThan(50_000_000);
    }
    expect(resolved).toEqual([]);
  });
});

/** Bodies that say 200 is not meant, and what each channel makes of them that has such answers; all others have delivered. */
const SAID_IN_BODY: [string, Record<string, Record<string, unknown>>][] = [
  [
    '{"ok":false,"error":"channel_not_found"}',
    {
      'slack by bot': { outcome: 'rejected', reason: 'slack_channel_not_found' },
      slack: { outcome: 'rejected', reason: 'slack_channel_not_found' },
      telegram: { outcome: 'retry', reason: 'http_500' },
    },
  ],
  [
    '{"ok":false,"error":"ratelimited","error_code":429,"parameters":{"retry_after":7}}',
    {
      'slack by bot': { outcome: 'retry', reason: 'slack_ratelimited' },
      slack: { outcome: 'retry', reason: 'slack_ratelimited' },
      telegram: { outcome: 'retry', reason: 'http_429', retryAfterMs: 7_000 },
    },
  ],
  [
    '{"ok":false,"error_code":403,"description":"Forbidden: bot was kicked"}',
    {
      'slack by bot': IN_OWN_WORDS,
      slack: IN_OWN_WORDS,
      telegram: { outcome: 'rejected', reason: 'http_403', disable: false },
    },
  ],
  ['{"ok":"no"}', { 'slack by bot': IN_OWN_WORDS }],
  ['<html>Sign in to the network</html>', { 'slack by bot': IN_OWN_WORDS }],
];

test.each(SAID_IN_BODY)('a receiver that answers 200 and %s has done what it says, where channels can say so', async (body, expected) => {
  const there = await receiver({ talk: answer('200 OK', [], body) });
  ending.push(there.close);
  const outside = outsideAt(doorFor({}), there.origin);
  const verdicts = await Promise.all(CASES.map(async (each) => [each.name, await deliver(each, outside)] as const));
  expect(Object.fromEntries(verdicts)).toEqual(
    Object.fromEntries(
      CASES.map(({ name }) => [name, expect.objectContaining(expected[name] ?? { outcome: 'delivered', statusCode: 200 })]),
    ),
  );
});

test.each(CASES)('$name: an answer that nobody asked for is not taken for that of the next message', async (each) => {
  const there = await receiver({
    talk: (socket) =>
      void socket.write('HTTP/1.1 503 No\r\ncontent-length: 0\r\n\r\nHTTP/1.1 200 OK\r\ncontent-length: 11\r\n\r\n{"ok":true}'),
  });
  ending.push(there.close);
  const outside = outsideAt(doorFor({}), there.origin);
  for (let message = 1; message <= 3; message += 1) {
    expect(await deliver(each, outside)).toMatchObject({ outcome: 'retry', reason: 'http_503' });
    expect(there.asked()).toBe(message);
  }
});

test.each(CASES)('$name: through a storm of 429 each message asks once, and waits as long as it is told', async (each) => {
  const there = await receiver({ talk: answer('429 Too Many Requests', ['retry-after: 30']) });
  ending.push(there.close);
  const outside = outsideAt(doorFor({}), there.origin);
  const verdicts = await Promise.all(Array.from({ length: 50 }, () => deliver(each, outside)));
  for (const verdict of verdicts) expect(verdict).toMatchObject({ outcome: 'retry', reason: 'http_429', retryAfterMs: 30_000 });
  await there.isLeft();
  expect(there.asked()).toBe(50);
});
