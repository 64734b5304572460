import { existsSync } from 'node:fs';
import { describe, expect, test } from 'vitest';
import { aGroup } from '../test/a-group.ts';
import { aNotification } from '../test/a-notification.ts';
import { anOutside, doorError } from '../test/an-outside.ts';
import { EXAMPLES } from '../test/examples.ts';
import { KINDS } from '../test/hostile.ts';
import { channels, outboundUrls, secretFields, splitSecrets } from './index.ts';
import { leaves } from './secrets.ts';

const NOW = Date.parse('2026-03-01T12:00:11.000Z');
const sending = { deliveryId: '01990000-0000-7000-8000-00000000000d', alertId: null, nowMs: NOW };
const all = channels.flatMap((channel) => {
  const example = EXAMPLES[channel.kind];
  return example === undefined ? [] : [{ channel, kind: channel.kind, config: channel.config.parse(example) }];
});

/** What each channel asks of the network. Found by sending, since a mark in the configuration may be forgotten. */
const sent = await Promise.all(
  all.map(async ({ channel, kind, config }) => {
    const outside = anOutside();
    await channel.deliver(channel.render(aNotification()), config, outside, sending);
    return { channel, kind, config, calls: outside.calls };
  }),
);
const overHttp = sent.filter(({ calls }) => calls.length > 0);

test('every channel has an example here', () => {
  expect(channels.map(({ kind }) => kind).sort()).toEqual(Object.keys(EXAMPLES).sort());
});

test.each(channels)('the messages of $kind are pinned by a test beside it', ({ kind }) => {
  expect(existsSync(new URL(`./${kind}/${kind}.test.ts`, import.meta.url))).toBe(true);
});

/** How many alerts a group has, of channels that are read by programs; those for people say which are the worst as well. */
const GROUP_SAID: Record<string, RegExp> = { webhook: /"count":14/, log: /14 alerts of 3 rules/ };

/** What a message says that waited, by what for; a webhook's says it in a field. */
const LATER_SAID = { quiet_hours: /quiet.hours/, digest: /[Dd]igest/ };

test.each(all.filter(({ channel }) => channel.perAlert !== true))(
  '$kind says of alerts that waited what for, and how many began',
  ({ channel, kind }) => {
    for (const reason of ['quiet_hours', 'digest'] as const) {
      const body = channel.render(aGroup({}, reason));
      expect(body).toMatch(GROUP_SAID[kind] ?? /14 alerts of 3 rules.*12 of them began.*operation.{1,3}worst.*and 9 more/);
      expect(body).toMatch(LATER_SAID[reason]);
    }
  },
);

test.each(all)('$kind says of one alert that waited what for', ({ channel, kind }) => {
  if (kind === 'log') return;
  expect(channel.render(aNotification({ waited: 'quiet_hours' }))).toMatch(/quiet.hours/);
  expect(channel.render(aNotification({ waited: 'digest' }))).toMatch(/digest|collects/);
});

test.each(all.filter(({ channel }) => channel.perAlert !== true))(
  '$kind tells of a group how many alerts there are, and which is the worst',
  ({ channel, kind }) => {
    const body = channel.render(aGroup());
    expect(body).toMatch(GROUP_SAID[kind] ?? /14 alerts of 3 rules.*operation.{1,3}worst.*and 9 more/);
    expect(body).toMatch(/operation\W{1,4}worst/);
  },
);

describe.each(all)('$kind', ({ channel, config }) => {
  test('renders the same text for the same notification, and every kind of it', () => {
    for (const told of KINDS) {
      const notification = aNotification({ kind: told });
      expect(channel.render(notification)).toBe(channel.render(structuredClone(notification)));
    }
  });

  test('refuses a configuration with a field it does not know', () => {
    expect(channel.config.safeParse({ ...config, surprise: 1 }).success).toBe(false);
  });

  test('rejects, and does not throw, when a stored configuration no longer fits', async () => {
    const outside = anOutside();
    expect(await channel.deliver(channel.render(aNotification()), { surprise: 1 }, outside, sending)).toMatchObject({
      outcome: 'rejected',
      reason: 'config_invalid',
    });
    expect(outside.calls).toEqual([]);
  });
});

describe.each(overHttp)('$kind over HTTP', ({ channel, config, calls }) => {
  const body = channel.render(aNotification());
  const deliver = (outside = anOutside()) => channel.deliver(body, config, outside, sending);

  test.each([200, 201, 202, 204])('%i: delivered', async (status) => {
    expect(await deliver(anOutside({ status }))).toMatchObject({ outcome: 'delivered', statusCode: status });
  });

  test.each([408, 425, 429, 500, 501, 502, 503, 504, 599])('%i: tried again', async (status) => {
    expect(await deliver(anOutside({ status }))).toMatchObject({
      outcome: 'retry',
      reason: `http_${status}`,
      statusCode: status,
      retryAfterMs: null,
    });
  });

  test.each([400, 401, 403, 404, 405, 409, 413, 415, 418, 422, 451])('%i: final', async (status) => {
    expect(await deliver(anOutside({ status }))).toMatchObject({
      outcome: 'rejected',
      reason: `http_${status}`,
      statusCode: status,
      disable: false,
    });
  });

  test('410: final, and the channel is to be switched off', async () => {
    expect(await deliver(anOutside({ status: 410 }))).toMatchObject({ outcome: 'rejected', reason: 'http_410', disable: true });
  });

  test.each([
    ['3', 3_000],
    ['0', 0],
    ['Sun, 01 Mar 2026 12:01:11 GMT', 60_000],
    ['soon', null],
    ['-1', null],
  ])('Retry-After: %s is %s ms', async (header, retryAfterMs) => {
    for (const status of [429, 503])
      expect(await deliver(anOutside({ status, headers: { 'retry-after': header } }))).toMatchObject({ outcome: 'retry', retryAfterMs });
  });

  test.each(['timeout', 'connect', 'dns', 'bad_response', 'too_large', 'aborted'])('a network failure (%s): tried again', async (code) => {
    expect(await deliver(anOutside(doorError(code)))).toMatchObject({ outcome: 'retry', reason: code, statusCode: null });
  });

  test('an error nobody knows: tried again, without its words', async () => {
    expect(await deliver(anOutside(new TypeError(`fetch failed ${leaves(config).join(' ')}`)))).toMatchObject({
      outcome: 'retry',
      reason: 'connect',
    });
  });

  test.each(['url_not_allowed', 'blocked_address', 'tls', 'invalid_request'])('what the door refuses (%s): final', async (code) => {
    expect(await deliver(anOutside(doorError(code)))).toMatchObject({ outcome: 'rejected', reason: code, disable: false });
  });

  test('a redirect: final, with its status', async () => {
    expect(await deliver(anOutside(doorError('redirect', 302)))).toMatchObject({
      outcome: 'rejected',
      reason: 'redirect',
      statusCode: 302,
    });
  });

  test('one delivery is one request, and a repeat sends the same bytes to the same place', async () => {
    const outside = anOutside({ status: 500 });
    await deliver(outside);
    await channel.deliver(body, config, outside, { ...sending, nowMs: NOW + 3_600_000 });
    const [first, second, ...more] = outside.calls;
    expect(more).toEqual([]);
    expect(second).toMatchObject({ url: first?.url, body: first?.body });
  });

  test('what is frozen, and kept readable, has no secret in it', () => {
    for (const secret of leaves(splitSecrets(channel, config).secrets)) expect(body).not.toContain(secret);
  });

  test('every status has its meaning', async () => {
    for (let status = 200; status < 600; status += 1) {
      if (status >= 300 && status < 400) continue;
      const { outcome, ...verdict } = await deliver(anOutside({ status }));
      const isPassing = status >= 500 || status === 408 || status === 425 || status === 429;
      expect([status, outcome]).toEqual([status, status < 300 ? 'delivered' : isPassing ? 'retry' : 'rejected']);
      expect(verdict).toMatchObject({ statusCode: status, ...(status < 300 ? {} : { reason: `http_${status}` }) });
    }
  });

  test('an answer that is huge, packed or no text at all changes nothing about what it means', async () => {
    for (const answer of ['x'.repeat(1_000_000), '\u001f\u008b\b\u0000\ufffd\ufffd', '{"retry_after":', '[[[[', '\u0000']) {
      expect(await deliver(anOutside({ status: 200, body: answer }))).toMatchObject({ outcome: 'delivered' });
      const refused = await deliver(anOutside({ status: 503, body: answer }));
      expect(refused).toMatchObject({ outcome: 'retry', reason: 'http_503', retryAfterMs: null });
      expect(refused.responseExcerpt?.length ?? 0).toBeLessThanOrEqual(1_024);
    }
  });

  test('no secret leaves through the verdict, whatever the receiver or the network says', async () => {
    const { secrets } = splitSecrets(channel, config);
    const words = leaves(secrets).flatMap((secret) => [secret, secret.slice(secret.search(/[^ /_]+$/))]);
    expect(words.length).toBeGreaterThan(0);
    const echo = JSON.stringify({ echoed: config, words });
    for (const outside of [
      anOutside({ body: echo }),
      anOutside({ status: 500, body: echo }),
      anOutside({ status: 400, body: echo }),
      anOutside(new Error(echo)),
    ]) {
      const verdict = JSON.stringify(await deliver(outside));
      for (const word of words) expect(verdict).not.toContain(word);
    }
  });

  test('an answer is shown as text of at most 1,024 characters without control characters', async () => {
    const verdict = await deliver(anOutside({ status: 500, body: `\u001b[31m<b>no</b>\u0000${'x'.repeat(5_000)}` }));
    expect(verdict.responseExcerpt).toHaveLength(1_024);
    expect(verdict.responseExcerpt).toMatch(/^\[31m<b>no<\/b>x+$/);
  });

  test('its addresses are known, so that they are checked when saved', () => {
    const hosts = calls.map(({ url }) => new URL(url).host);
    const addresses = leaves(config).filter((text) => hosts.some((host) => text.includes(host)));
    const known = outboundUrls(channel, config);
    expect(known.map(({ url }) => url)).toEqual(expect.arrayContaining(addresses));
    for (const { pointer, url } of known) expect(config[pointer.slice(1)]).toBe(url);
  });

  test('has secret fields, so that they are sealed when saved', () => {
    expect(secretFields(channel).length).toBeGreaterThan(0);
  });
});
