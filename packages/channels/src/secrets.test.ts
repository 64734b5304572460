import { describe, expect, test } from 'vitest';
import { maskSecrets, mergeSecrets, splitSecrets } from './index.ts';
import { slack } from './slack/slack.ts';
import { webhook } from './webhook/webhook.ts';

const config = {
  url: 'https://receiver.example/hook',
  secret: 'whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw',
  headers: { authorization: 'Bearer abcdefgh', 'x-pin': '1234' },
};

test('the secret fields part from the rest', () => {
  expect(splitSecrets(webhook, config)).toEqual({
    config: { url: config.url },
    secrets: { secret: config.secret, headers: config.headers },
  });
  expect(splitSecrets(slack, { webhookUrl: 'https://hooks.slack.example/x' })).toEqual({
    config: {},
    secrets: { webhookUrl: 'https://hooks.slack.example/x' },
  });
});

test('people see the last four characters, and of a short secret none', () => {
  const { config: open, secrets } = splitSecrets(webhook, config);
  expect(maskSecrets(open, secrets)).toEqual({
    url: config.url,
    secret: '••••LaSw',
    headers: { authorization: '••••efgh', 'x-pin': '••••' },
  });
});

describe('an edit', () => {
  const { config: open, secrets } = splitSecrets(webhook, config);
  const shown = maskSecrets(open, secrets);

  test('of what was shown keeps every secret', () => {
    expect(mergeSecrets(webhook, shown, secrets)).toEqual(config);
  });

  test('that leaves a secret field out keeps it', () => {
    expect(mergeSecrets(webhook, { url: 'https://other.example/' }, secrets)).toEqual({ ...config, url: 'https://other.example/' });
  });

  test('replaces one secret and keeps the others', () => {
    expect(mergeSecrets(webhook, { ...shown, headers: { authorization: '••••efgh', 'x-new': 'fresh' } }, secrets)).toEqual({
      ...config,
      headers: { authorization: 'Bearer abcdefgh', 'x-new': 'fresh' },
    });
    expect(mergeSecrets(webhook, { ...shown, headers: {} }, secrets)).toMatchObject({ headers: {} });
  });

  test('adds a second signing secret beside the one shown as its mask', () => {
    const second = 'whsec_AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA';
    expect(mergeSecrets(webhook, { ...shown, secret: [second, '••••LaSw'] }, secrets)).toMatchObject({ secret: [second, config.secret] });
  });

  test('never takes the mask of one header for the value of another', () => {
    const edited = mergeSecrets(webhook, { ...shown, headers: { 'x-other': '••••efgh' } }, secrets);
    expect(webhook.config.safeParse(edited).success).toBe(false);
  });
});
