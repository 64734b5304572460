import fc from 'fast-check';
import type { MessageKind } from '@tocsin/domain';
import { describe, expect, test } from 'vitest';
import { aGroup } from '../../test/a-group.ts';
import { aNotification } from '../../test/a-notification.ts';
import { escapedWithin, truncate, truncateBytes } from './cut.ts';
import { headline, seriesLine } from './message.ts';
import { messageOf } from './message-of.ts';
import { plainText } from './plain-text.ts';
import { oneLine, severalLines } from './tidy.ts';
import { spanText } from './time-words.ts';

const over = { status: 'resolved' as const, resolvedAt: '2026-03-01T12:11:00.000Z', peak: 4_120, value: 12 };

test.each<[MessageKind, string, string]>([
  ['fired', '🔴', 'Critical · Checkout latency'],
  ['escalated', '🔴', 'Escalated to critical · Checkout latency'],
  ['reminded', '🔴', 'Still firing · Checkout latency'],
  ['resolved', '✅', 'Resolved · Checkout latency'],
  ['no_data', '⚪', 'No data · Checkout latency'],
  ['acknowledged', '👀', 'Acknowledged · Checkout latency'],
  ['test', '🔔', 'Test · Checkout latency'],
  ['unsilenced', '🔴', 'Critical, muted until now · Checkout latency'],
])('%s begins with %s %s', (kind, icon, title) => {
  const message = messageOf(aNotification({ kind }));
  expect([message.icon, headline(message)]).toEqual([icon, title]);
});

test.each([
  ['critical', '🔴', 'Critical'],
  ['error', '🟠', 'Error'],
  ['warning', '🟡', 'Warning'],
  ['info', '🔵', 'Info'],
] as const)('%s is a picture and a word', (severity, icon, word) => {
  expect(messageOf(aNotification({ alert: { severity } }))).toMatchObject({ icon, word, severity });
});

test('says in plain text what fired', () => {
  expect(plainText(messageOf(aNotification()))).toMatchInlineSnapshot(`
    "🔴 Critical · Checkout latency
    p95 latency is 2,480.25 ms (limit > 1,000 ms)

    p95 is 2,480.25 ms on checkout

    Series: model=gpt-4o, operation=checkout
    Since: 2026-03-01 12:00:00 UTC
    Window: 5m, 412 samples
    Tenant: acme

    Open alert: https://tocsin.example/alerts/01990000-0000-7000-8000-00000000000b
    Runbook: https://runbooks.example/latency

    Rule checkout-p95 · Checkout latency"
  `);
});

test('says how long it lasted, how bad it was and what it is now', () => {
  expect(messageOf(aNotification({ kind: 'resolved', alert: over }))).toMatchObject({
    sentence: 'Lasted 11m · peak 4,120 ms · p95 latency is 12 ms (limit > 1,000 ms)',
    isOver: true,
    facts: expect.arrayContaining([
      { name: 'Severity', text: 'Critical' },
      { name: 'Resolved', text: '2026-03-01 12:11:00 UTC' },
      { name: 'Lasted', text: '11m' },
      { name: 'Peak', text: '4,120 ms' },
    ]),
  });
  const { peak: _, ...unknown } = over;
  expect(messageOf(aNotification({ kind: 'resolved', alert: unknown })).sentence).toBe(
    'Lasted 11m · p95 latency is 12 ms (limit > 1,000 ms)',
  );
});

test('names who has it, while they have', () => {
  const of = (status: 'acknowledged' | 'resolved') => messageOf(aNotification({ alert: { status, acknowledgedBy: 'ann' } })).remarks;
  expect([of('acknowledged'), of('resolved')]).toEqual([['Acknowledged by ann'], []]);
});

test('names who was not reached, and why', () => {
  const message = messageOf(aNotification({ kind: 'undelivered', undelivered: { channel: 'pagers', reason: 'http_404' } }));
  expect(headline(message)).toBe('Not delivered to pagers · Checkout latency');
  expect(message.remarks).toEqual(['pagers was not told of this: http_404']);
});

test('says of a group how many there are, which are the worst and how many more', () => {
  const message = messageOf(aGroup());
  expect([message.icon, headline(message), message.remarks]).toMatchInlineSnapshot(`
    [
      "🔴",
      "Critical · 14 alerts of 3 rules",
      [
        "12 firing, 2 resolved. More came in a minute than this channel takes one by one, so they are told together
    critical · Checkout latency · operation=worst · 9,000 ms (limit > 1,000 ms)
    critical · Checkout latency · operation=op-1 · 1,999 ms (limit > 1,000 ms)
    critical · Checkout latency · operation=op-2 · 1,998 ms (limit > 1,000 ms)
    critical · Checkout latency · operation=op-3 · 1,997 ms (limit > 1,000 ms)
    critical · Checkout latency · operation=op-4 · 1,996 ms (limit > 1,000 ms)
    and 9 more",
      ],
    ]
  `);
  expect(messageOf({ ...aGroup(), kind: 'no_data' })).toMatchObject({ icon: '🔴', word: 'Critical' });
  const ended = messageOf({ ...aGroup({ status: 'resolved' }), kind: 'resolved' });
  expect([ended.icon, headline(ended)]).toEqual(['✅', 'Resolved · 14 alerts of 3 rules']);
});

test('says of a group that waited what for, how many began meanwhile and how many are over', () => {
  const saidOf = (reason: 'quiet_hours' | 'digest') => {
    const message = messageOf(aGroup({ severity: 'error' }, reason));
    return [headline(message), message.remarks[0]?.split('\n')[0]];
  };
  expect(saidOf('quiet_hours')).toEqual([
    'After quiet hours · Error · 14 alerts of 3 rules',
    '12 firing, 2 resolved. This is what happened in the quiet hours of this channel; 12 of them began meanwhile',
  ]);
  expect(saidOf('digest')).toEqual([
    'Digest · Error · 14 alerts of 3 rules',
    '12 firing, 2 resolved. This is what this channel collects and is told together; 12 of them began since the last time',
  ]);
});

test('says of one that waited alone that it is no news of this minute', () => {
  expect(messageOf(aNotification({ waited: 'quiet_hours' })).remarks).toEqual(['It waited for the end of the quiet hours of this channel']);
});

test('that the end of an alert did not arrive is no alarm', () => {
  const undelivered = { channel: 'chat', reason: 'http_404' };
  expect(messageOf(aNotification({ kind: 'undelivered', undelivered, alert: over }))).toMatchObject({
    icon: '✅',
    word: 'Not delivered to chat',
    isOver: true,
    sentence: 'Lasted 11m · peak 4,120 ms · p95 latency is 12 ms (limit > 1,000 ms)',
  });
});

test('says beside the reading where it came from, that it flaps and what is not shown', () => {
  const { remarks } = messageOf(aNotification({ alert: { why: 'usual is 400 ms', flapping: true, excess: 7 } }));
  expect(remarks).toEqual([
    'Usual is 400 ms',
    'Flapping: it changes so often that this is one alert until it has calmed down',
    '7 more series breach than may have an alert of their own',
  ]);
});

test('shows eight labels and counts the rest', () => {
  const labels = Object.fromEntries(Array.from({ length: 11 }, (_, index) => [`l${String(index).padStart(2, '0')}`, 'v']));
  const message = messageOf(aNotification({ alert: { labels } }));
  expect(message.labels).toHaveLength(8);
  expect(seriesLine(message)).toBe('l00=v, l01=v, l02=v, l03=v, l04=v, l05=v, l06=v, l07=v and 3 more');
  expect(seriesLine(messageOf(aNotification({ alert: { labels: {} } })))).toBeNull();
});

describe('a link', () => {
  test.each([
    'javascript:alert(1)',
    'data:text/html,x',
    '//evil.example',
    'https://user@evil.example/',
    'https://evil.example/" onclick="x',
    'https://evil.example/|<x>',
    'https://evil.example/a\nb',
    'https://evil.example/\\x',
    `https://evil.example/${'x'.repeat(2_000)}`,
    'not a url',
    '',
  ])('to %j is left out', (url) => {
    expect(messageOf(aNotification({ alert: { url }, context: { runbookUrl: url } })).links).toEqual([]);
  });

  test('to the alert comes before its runbook', () => {
    expect(messageOf(aNotification()).links.map(({ face }) => face)).toEqual(['Open alert', 'Runbook']);
  });
});

describe('foreign text', () => {
  test('cannot break a line, turn around or hide', () => {
    expect(oneLine('a\r\nb\tc\u2028d\u202ee\u0000f\u200bg\u001b[31m')).toBe('a b cdefg[31m');
    expect(severalLines('a\r\n\r\n\r\n\r\nb\u202e')).toBe('a\n\nb');
  });

  test('is one well-formed line, whatever it was', () => {
    fc.assert(
      fc.property(fc.array(fc.nat(0xffff)), (units) => {
        const line = oneLine(String.fromCharCode(...units));
        expect(line.isWellFormed()).toBe(true);
        expect(line).not.toMatch(/[\r\n\u0000\u202e]/);
      }),
    );
  });

  test('is cut to what fits, never within a character or an entity', () => {
    const escape = (text: string): string => text.replaceAll('&', '&amp;').replaceAll('<', '&lt;');
    fc.assert(
      fc.property(fc.array(fc.constantFrom('a', '&', '<', 'é', '中', '😀')), fc.nat(40), (characters, max) => {
        const text = characters.join('');
        expect(truncate(text, max).length).toBeLessThanOrEqual(max);
        expect(truncate(text, max).isWellFormed()).toBe(true);
        const bytes = truncateBytes(text, max);
        expect(new TextEncoder().encode(bytes).length).toBeLessThanOrEqual(max);
        expect(bytes).not.toContain('\ufffd');
        const escaped = escapedWithin(text, max, escape);
        expect(escaped.length).toBeLessThanOrEqual(max);
        expect(escaped.replaceAll(/&(amp|lt);/g, '')).not.toMatch(/[&<]/);
      }),
    );
    expect(truncateBytes('short', 10)).toBe('short');
    expect(truncateBytes('ééé', 5)).toBe('é…');
  });
});

test.each([
  [0, '0s'],
  [45_000, '45s'],
  [660_000, '11m'],
  [697_000, '11m 37s'],
  [7_500_000, '2h 5m'],
  [3_600_000, '1h'],
  [273_600_000, '3d 4h'],
])('%i ms is %s', (ms, text) => expect(spanText(ms)).toBe(text));
