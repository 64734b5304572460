import type { MessageKind } from '@tocsin/domain';
import { describe, expect, test } from 'vitest';
import { aNotification } from '../../test/a-notification.ts';
import { secretFields } from '../index.ts';
import { isAddress, parseSender } from './addresses.ts';
import { email } from './email.ts';
import { mailContent } from './mail-content.ts';

const to = ['ops@example.com'];
const own = { to, from: 'alerts@example.com', smtpHost: 'mail.example.com' };

describe('an address', () => {
  test.each([
    'a@b.c',
    'first.last+tag@example.com',
    "o'neil@example.com",
    'ops@localhost',
    'ops@bücher.example',
    'ops@xn--bcher-kva.example',
  ])('%j is one', (text) => expect(isAddress(text)).toBe(true));

  test.each([
    '',
    '@',
    'a@',
    '@b',
    'a b@c.d',
    'a@b.c\r\nBcc: x@y',
    'a@b.c\nx',
    '"x\r\n"@d',
    '"quoted"@d.e',
    'a@b.c>',
    '<a@b.c>',
    'Name <a@b.c>',
    'a@b.c, d@e.f',
    'a..b@c.d',
    '.a@c.d',
    'a@b@c.d',
    'a@b .c',
    'a@[127.0.0.1]',
    'a@b..c',
    'a@-',
    'ü@example.com',
    'role:admin',
    `${'a'.repeat(65)}@b.c`,
    `a@${'b.'.repeat(130)}c`,
    'a@b/c',
    'a@b?c',
    'a\u0000@b.c',
  ])('%j is none', (text) => {
    expect(isAddress(text)).toBe(text === 'a@-');
  });
});

test.each([
  ['a@b.c', { name: '', address: 'a@b.c' }],
  ['Tocsin Alerts <a@b.c>', { name: 'Tocsin Alerts', address: 'a@b.c' }],
  ['A\r\nBcc: x@y <a@b.c>', null],
  ['=?utf-8?q?Boss?= <a@b.c>', null],
  ['"A" <a@b.c>', null],
  ['A <a@b.c> <d@e.f>', null],
  [`${'x'.repeat(101)} <a@b.c>`, null],
  ['nobody', null],
])('the sender %j is %j', (text, read) => expect(parseSender(text)).toEqual(read));

describe('a configuration', () => {
  test.each<[string, Record<string, unknown>]>([
    ['recipients alone', { to }],
    ['a server of its own', own],
    ['with a login', { ...own, smtpUser: 'u', smtpPassword: 'p' }],
    ['without encryption and without a password', { ...own, smtpSecurity: 'off' }],
    ['whose password was taken away', { to, smtpPassword: null }],
  ])('is taken: %s', (_title, config) => expect(email.config.safeParse(config).error).toBeUndefined());

  test.each<[string, Record<string, unknown>, string]>([
    ['nobody', { to: [] }, 'to'],
    ['fifty-one', { to: Array.from({ length: 51 }, (_, index) => `a${index}@example.com`) }, 'to'],
    ['somebody twice', { to: ['a@b.c', 'A@b.c'] }, 'to'],
    ['a sender on the installation’s server', { to, from: 'boss@example.com' }, 'smtpHost'],
    ['a server without a sender', { to, smtpHost: 'mail.example.com' }, 'from'],
    ['half a login', { ...own, smtpUser: 'u' }, 'smtpPassword'],
    ['a password in the clear', { ...own, smtpUser: 'u', smtpPassword: 'p', smtpSecurity: 'off' }, 'smtpSecurity'],
    ['a port that is none', { ...own, smtpPort: 0 }, 'smtpPort'],
  ])('is refused: %s', (_title, config, field) => {
    expect(email.config.safeParse(config).error?.issues.map(({ path }) => path[0])).toContain(field);
  });

  test.each([
    [own, 587],
    [{ ...own, smtpSecurity: 'tls' }, 465],
    [{ ...own, smtpPort: 2_525 }, 2_525],
  ])('%j is checked where it leads', (config, port) => {
    expect(email.hosts(config)).toEqual([{ pointer: '/smtpHost', host: 'mail.example.com', port }]);
    expect(email.hosts({ to })).toEqual([]);
  });

  test('keeps its password sealed', () => expect(secretFields(email)).toEqual(['smtpPassword']));
});

test.each<[MessageKind, string]>([
  ['fired', '[CRITICAL] Checkout latency'],
  ['escalated', '[CRITICAL] Checkout latency'],
  ['reminded', '[STILL FIRING] Checkout latency'],
  ['resolved', '[RESOLVED] Checkout latency'],
  ['no_data', '[NO DATA] Checkout latency'],
  ['test', '[TEST] Checkout latency'],
  ['undelivered', '[NOT DELIVERED] Checkout latency'],
  ['unsilenced', '[CRITICAL] Checkout latency'],
  ['channel_failing', '[CHANNEL FAILING] Checkout latency'],
])('%s has the subject %s', (kind, subject) => expect(mailContent(aNotification({ kind })).subject).toBe(subject));

test('is HTML and its twin in plain text', () => {
  const { html, text } = mailContent(aNotification());
  expect(html).toMatchSnapshot();
  for (const said of ['p95 latency is 2,480.25 ms', 'model=gpt-4o', '2026-03-01 12:00:00 UTC', 'acme', 'Open alert'])
    for (const twin of [html, text]) expect(twin).toContain(said);
});

describe('text of tenants', () => {
  const hostile = [
    '<script>alert(1)</script>',
    '<img src=x onerror=alert(1)>',
    '<style>*{background:url(https://evil.example/beacon)}</style>',
    '<!--[if mso]><a href="https://evil.example">x</a><![endif]-->',
    '" onmouseover="alert(1)',
    "' style='background:url(https://evil.example)",
    '</td></table><h1>Critical</h1>',
    '&lt;script&gt;',
  ];

  test.each(hostile)('%s stays text', (text) => {
    const { html } = mailContent(
      aNotification({
        alert: { name: text, metric: text, unit: text, labels: { [text]: text }, url: `https://a.example/${text}` },
        rule: { id: 'x', key: text, name: text },
        context: { summary: text, runbookUrl: `javascript:${text}` },
        tenant: { id: 'x', externalKey: text },
      }),
    );
    const plain = mailContent(aNotification()).html;
    const tagsOf = (given: string): string[] => [...new Set([...given.matchAll(/<(!?[a-z0-9-]+)/gi)].map(([, tag = '']) => tag))].sort();
    expect(tagsOf(plain)).toEqual(expect.arrayContaining(tagsOf(html)));
    expect(html).not.toMatch(/<[^>]*(onerror|onmouseover|javascript:|url\()/i);
    expect(html).not.toMatch(/<(a|img)[^>]*evil\.example/);
  });

  test('leads nowhere unseen: a runbook shows its host, and without https it is no link', () => {
    expect(mailContent(aNotification()).html).toContain('>Runbook on runbooks.example</a>');
    const plain = mailContent(aNotification({ context: { runbookUrl: 'http://runbooks.example/x' } })).html;
    expect(plain).toContain('Runbook: http://runbooks.example/x');
    expect(plain).not.toContain('href="http://runbooks');
  });

  test('of any length makes a mail of bounded length, with a subject of one line', () => {
    const long = '<"&\n>'.repeat(20_000);
    const labels = Object.fromEntries(Array.from({ length: 32 }, (_, index) => [`${index}${long}`, long]));
    const content = mailContent(aNotification({ alert: { name: long, labels }, context: { summary: long } }));
    expect(content.subject.length).toBeLessThanOrEqual(200);
    expect(content.subject).not.toMatch(/[\r\n]/);
    expect(content.html.length).toBeLessThan(200_000);
    expect(content.text.length).toBeLessThan(40_000);
  });
});
