import { openOutbound } from '@tocsin/runtime';
import { groupOf, type Notification } from '@tocsin/domain';
import { afterAll, afterEach, describe, expect, test } from 'vitest';
import { aGroup } from '../../test/a-group.ts';
import { aNotification } from '../../test/a-notification.ts';
import { HOSTILE, LONG, saying } from '../../test/hostile.ts';
import { headOf, mailServer, outsideWithMail } from '../../test/mail-server.ts';
import type { Outside } from '../outside.ts';
import { email } from './email.ts';

const to = ['ops@example.com'];
const sending = { deliveryId: '01990000-0000-7000-8000-00000000000d', alertId: null, nowMs: 0 };
const door = openOutbound({ allowHttp: false, allowCidrs: ['127.0.0.0/8'], resolve: async () => ['127.0.0.1'] });
const closing: (() => Promise<void>)[] = [];
afterEach(async () => {
  await Promise.all(closing.splice(0).map((close) => close()));
});
afterAll(() => door.close());

const serving = async () => {
  const server = await mailServer();
  closing.push(server.close);
  return server;
};
const deliver = (outside: Outside, notification: Notification = aNotification()) =>
  email.deliver(email.render(notification), { to }, outside, sending);

/** A header as people see it: its encoded words (RFC 2047) decoded. */
const decoded = (header: string): string =>
  header.replaceAll(/\?=\s+=\?/g, '?==?').replaceAll(/(?:=\?utf-8\?[bq]\?[^?]*\?=)+/gi, (words) =>
    Buffer.concat(
      [...words.matchAll(/=\?utf-8\?([bq])\?([^?]*)\?=/gi)].map(([, how, text = '']) =>
        how?.toLowerCase() === 'b'
          ? Buffer.from(text, 'base64')
          : Buffer.from(
              text
                .replaceAll('_', ' ')
                .replaceAll(/=([0-9A-F]{2})/gi, (_all, hex: string) => String.fromCharCode(Number.parseInt(hex, 16))),
              'latin1',
            ),
      ),
    ).toString(),
  );

test.each([
  HOSTILE,
  ...LONG,
  'Checkout\r\nBcc: evil@example.com',
  'Checkout\nBcc: evil@example.com\n\n<h1>hi</h1>',
  'a\u2028Bcc: evil@example.com\u2029\u0085\u000b\u000cX-Evil: 1',
  '=?utf-8?B?W0lORk9dIGFsbCB3ZWxs?=',
  '=?utf-8?q?=0D=0ABcc:_evil@example.com?=',
  'Prüfung 検査 🔥'.repeat(40),
  '\ud800 half a character \udfff',
  'مرحبا \u202eevil',
  ' ',
])('%.60j as every text of a mail makes no header, no line that is too long, and no other subject', async (text) => {
  const server = await serving();
  await deliver(outsideWithMail(door, server));
  const { alert, rule } = saying(text);
  const members = Array.from({ length: 3 }, (_, index) => ({ snapshot: { ...alert, id: `${index}` }, rule }));
  const notifications = [saying(text), saying(text, { group: groupOf(members, 'group') })];
  for (const notification of notifications) await deliver(outsideWithMail(door, server), notification);
  const namesOf = (raw: string): string[] =>
    headOf(raw)
      .split('\r\n')
      .map((line) => line.slice(0, line.indexOf(':')));
  const [ordinary, ...mails] = server.mails;
  expect(mails).toHaveLength(notifications.length);
  for (const [index, { raw, to: taken }] of mails.entries()) {
    expect(taken).toEqual(to);
    expect(namesOf(raw)).toEqual(namesOf(ordinary?.raw ?? ''));
    expect(headOf(raw)).toMatch(/^[\r\n\t -~]*$/);
    expect(Math.max(...raw.split('\r\n').map((line) => Buffer.byteLength(line)))).toBeLessThanOrEqual(998);
    const subject = /^Subject: (.*)$/m.exec(headOf(raw))?.[1] ?? '';
    expect(decoded(subject).trim()).toBe((JSON.parse(email.render(notifications[index]!)) as { subject: string }).subject.trim());
  }
});

test('a sender with signs of an address in its address is written to as it is', async () => {
  const server = await serving();
  await deliver(outsideWithMail(door, { port: server.port, from: "Tocsin <o'neil+a?b&c%d#e@bücher.example>" }));
  expect(headOf(server.mails[0]?.raw ?? '')).toContain(
    'List-Unsubscribe: <mailto:o%27neil%2Ba%3Fb%26c%25d%23e@xn--bcher-kva.example?subject=unsubscribe%20',
  );
});

describe('the mails of an alert', () => {
  const ROOT = '<alert-01990000-0000-7000-8000-00000000000b@good.example>';
  /** Sends one after the other, each under its own id, and gives what their heads say of the thread, and what is noted of it. */
  const thread = async (notifications: Notification[], known: string | null = null) => {
    const server = await serving();
    const notes: string[] = [];
    const outside = {
      ...outsideWithMail(door, server),
      thread: { get: async () => notes.at(-1) ?? known, put: async (note: string) => void notes.push(note) },
    };
    for (const [index, notification] of notifications.entries())
      await email.deliver(email.render(notification), { to }, outside, { ...sending, deliveryId: `d-${index}` });
    const line = (head: string, name: string): string | undefined => new RegExp(`^${name}: (.*)$`, 'm').exec(head)?.[1];
    const heads = server.mails.map(({ raw }) => headOf(raw).replaceAll('\r', ''));
    return { notes, heads: heads.map((head) => [line(head, 'Message-ID'), line(head, 'In-Reply-To'), line(head, 'References')]) };
  };

  test('answer the first of them, and are of one thread whether or not it is known', async () => {
    const { notes, heads } = await thread([
      aNotification(),
      aNotification({ kind: 'escalated' }),
      aNotification({ kind: 'resolved', alert: { status: 'resolved' } }),
    ]);
    expect(heads).toEqual([
      ['<d-0@good.example>', undefined, ROOT],
      ['<d-1@good.example>', '<d-0@good.example>', `${ROOT} <d-0@good.example>`],
      ['<d-2@good.example>', '<d-0@good.example>', `${ROOT} <d-0@good.example>`],
    ]);
    expect(notes).toEqual(['<d-0@good.example>']);
  });

  test('that are sent again are the same, the first, too', async () => {
    expect((await thread([aNotification()], '<d-0@good.example>')).heads).toEqual([['<d-0@good.example>', undefined, ROOT]]);
  });

  test('hang together where several were told in one, which is the first of none', async () => {
    const group = aGroup();
    const { notes, heads } = await thread([group, aNotification({ kind: 'resolved', alert: { id: 'alert-7', status: 'resolved' } })]);
    const [[, , together], [, answered, alone]] = heads as [string[], string[]];
    expect(together?.split(' ')).toEqual([
      ...Array.from({ length: 13 }, (_, index) => `<alert-alert-${index + 1}@good.example>`),
      '<alert-alert-0@good.example>',
    ]);
    expect(alone).toBe('<alert-alert-7@good.example>');
    expect(answered).toBeUndefined();
    expect(notes).toEqual(['<d-1@good.example>']);
  });

  test('begin no header by what is noted', async () => {
    for (const note of ['<a@b>\r\nBcc: evil@example.com', '{"channel":"C1","ts":"2"}', '<a@b> <c@d>', ''])
      expect((await thread([aNotification()], note)).heads).toEqual([['<d-0@good.example>', undefined, ROOT]]);
  });

  test('a test is of no thread', async () => {
    expect((await thread([aNotification({ kind: 'test' })])).heads).toEqual([['<d-0@good.example>', undefined, undefined]]);
  });
});
