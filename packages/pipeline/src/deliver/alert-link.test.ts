import { newId } from '@tocsin/db';
import { secretBox } from '@tocsin/runtime';
import { expect, test } from 'vitest';
import { LINK_LIFETIME_MS, readLink, signLinks, unsignedLink, type AlertLink } from './alert-link.ts';

const NOW = 1_770_000_000_000;
const box = secretBox('a key text of at least thirty-two characters');
const another = secretBox('another key text of at least thirty-two characters');

const aLink = (change: Partial<AlertLink> = {}): AlertLink => ({
  tenantId: newId(),
  channelId: newId(),
  alertId: newId(),
  action: 'acknowledge',
  expiresMs: NOW + LINK_LIFETIME_MS,
  ...change,
});
const frozen = (link: AlertLink): string => JSON.stringify({ text: `<${unsignedLink('https://tocsin.example/at', link)}|Acknowledge>` });
const tokenIn = (body: string): string => /links\/([\w-]+)/.exec(body)?.[1] ?? '';
const sent = (link: AlertLink): string => tokenIn(signLinks(box, frozen(link), link, NOW).body);

test.each(['acknowledge', 'silence'] as const)('a link to %s is read as it was made', (action) => {
  const link = aLink({ action });
  expect(readLink(box, sent(link))).toEqual(link);
});

test('what is frozen is no link, and as long as the one it becomes', () => {
  const link = aLink();
  expect(readLink(box, tokenIn(frozen(link)))).toBeNull();
  expect(signLinks(box, frozen(link), link, NOW).body).toHaveLength(frozen(link).length);
});

test('every attempt sends the same bytes', () => {
  const link = aLink();
  expect(signLinks(box, frozen(link), link, NOW).body).toBe(signLinks(box, frozen(link), link, NOW + 86_400_000).body);
});

test.each<[what: string, (token: string) => string]>([
  ['nothing', () => ''],
  ['its claims alone', (token) => token.slice(0, 72)],
  ['its signature alone', (token) => token.slice(72)],
  ['a character less', (token) => token.slice(0, -1)],
  ['a character more', (token) => `${token}A`],
  ['a line break after it', (token) => `${token}\n`],
  ['another action', (token) => Buffer.from(token.slice(0, 72), 'base64url').fill(1, 1, 2).toString('base64url') + token.slice(72)],
  ['another version', (token) => Buffer.from(token.slice(0, 72), 'base64url').fill(2, 0, 1).toString('base64url') + token.slice(72)],
  ['a later end', (token) => Buffer.from(token.slice(0, 72), 'base64url').fill(0xff, 50).toString('base64url') + token.slice(72)],
  ['the signature of another', (token) => token.slice(0, 72) + sent(aLink()).slice(72)],
  ['the same bytes spelled otherwise', (token) => token.slice(0, -1) + twin(token.at(-1) ?? '')],
])('%s is no link', (_what, change) => {
  expect(readLink(box, change(sent(aLink())))).toBeNull();
});

test('every byte of a link counts', () => {
  const token = sent(aLink());
  const bytes = Buffer.from(token.slice(0, 72), 'base64url');
  for (let at = 0; at < bytes.length; at += 1) {
    const changed = Buffer.from(bytes);
    changed[at] = (changed[at] ?? 0) ^ 1;
    expect(readLink(box, changed.toString('base64url') + token.slice(72))).toBeNull();
  }
});

test('a link of another installation is none', () => {
  expect(readLink(another, sent(aLink()))).toBeNull();
});

test.each<[what: string, Partial<AlertLink>]>([
  ['another tenant', { tenantId: newId() }],
  ['another channel', { channelId: newId() }],
  ['another alert', { alertId: newId() }],
  ['too late an end', { expiresMs: NOW + LINK_LIFETIME_MS + 60_000 }],
])('what a tenant writes into its message to get a link of %s stays unsigned', (_what, change) => {
  const link = aLink();
  const { body } = signLinks(box, frozen({ ...link, ...change }), link, NOW);
  expect(body).toBe(frozen({ ...link, ...change }));
});

test('a message about no alert has nothing signed', () => {
  const link = aLink();
  expect(signLinks(box, frozen(link), { ...link, alertId: null }, NOW).body).toBe(frozen(link));
});

test('an answer that repeats a link, whole or cut off, is kept without it', () => {
  const link = aLink();
  const { body, hidden } = signLinks(box, frozen(link), link, NOW);
  const token = tokenIn(body);
  for (const said of [body, body.slice(0, body.indexOf(token) + 100)]) {
    expect(hidden(said)).toContain('/links/••••');
    expect(hidden(said)).not.toContain(token.slice(72, 80));
  }
});

/** The other text that decodes to the same last byte of a signature. */
function twin(last: string): string {
  const alphabet = 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_';
  return alphabet[alphabet.indexOf(last) ^ 1] ?? '';
}
