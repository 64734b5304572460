import { openOutbound } from '@tocsin/runtime';
import { certificates, testCa } from '@tocsin/testkit';
import type { Notification } from '@tocsin/domain';
import type { Socket } from 'node:net';
import type { SMTPServerOptions } from 'smtp-server';
import { getCACertificates, setDefaultCACertificates } from 'node:tls';
import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest';
import { aNotification } from '../../test/a-notification.ts';
import { anOutside } from '../../test/an-outside.ts';
import { headOf, mailServer, oddServer, outsideWithMail } from '../../test/mail-server.ts';
import type { MailServer, Outside } from '../outside.ts';
import { email } from './email.ts';

const sending = { deliveryId: '01990000-0000-7000-8000-00000000000d', alertId: null, nowMs: 0 };
const to = ['ops@example.com'];
const PASSWORD = 'correct-horse-battery';

const door = openOutbound({ allowHttp: false, allowCidrs: ['127.0.0.0/8'], resolve: async () => ['127.0.0.1'] });
const before = getCACertificates('default');
beforeAll(() => setDefaultCACertificates([...before, testCa]));
const closing: (() => Promise<void>)[] = [];
afterEach(async () => {
  await Promise.all(closing.splice(0).map((close) => close()));
});
afterAll(async () => {
  setDefaultCACertificates(before);
  await door.close();
});

const serving = async (options: SMTPServerOptions = {}) => {
  const server = await mailServer(options);
  closing.push(server.close);
  return server;
};
const odd = async (script: (sent: string, socket: Socket) => void, greeting?: string) => {
  const server = await oddServer(script, greeting);
  closing.push(server.close);
  return server;
};

const outsideWith = (port: number, change: Partial<MailServer> = {}, signal?: AbortSignal): Outside =>
  outsideWithMail(door, { port, ...change }, signal);

const deliver = (outside: Outside, notification: Notification = aNotification(), config: Record<string, unknown> = { to }) =>
  email.deliver(email.render(notification), config, outside, sending);

describe('a mail', () => {
  test('arrives with subject, both bodies, a stable id, a thread and ways to be left alone', async () => {
    const server = await serving();
    expect(await deliver(outsideWith(server.port))).toMatchObject({ outcome: 'delivered', statusCode: 250 });
    await deliver(outsideWith(server.port));
    const [first, second] = server.mails;
    expect(first).toMatchObject({ from: 'alerts@good.example', to: ['ops@example.com'] });
    const head = headOf(first?.raw ?? '');
    for (const line of [
      'Subject: [CRITICAL] Checkout latency',
      'From: Tocsin <alerts@good.example>',
      'To: ops@example.com',
      'Message-ID: <01990000-0000-7000-8000-00000000000d@good.example>',
      'References: <alert-01990000-0000-7000-8000-00000000000b@good.example>',
      'Date: Sun, 01 Mar 2026 12:00:10 +0000',
      'List-Unsubscribe: <mailto:alerts@good.example?subject=unsubscribe%2001990000-0000-7000-8000-00000000000d>',
      'Auto-Submitted: auto-generated',
    ])
      expect(head.split('\r\n')).toContain(line);
    expect(head).not.toMatch(/^(In-Reply-To|List-Unsubscribe-Post):/m);
    expect(first?.raw).toMatch(/Content-Type: text\/plain[\s\S]*Content-Type: text\/html/);
    expect(second?.raw).toBe(first?.raw);
  });

  test('to two of whom one is refused is delivered, and says for whom it was not', async () => {
    const server = await serving({
      onRcptTo: ({ address }, _session, done) =>
        done(address.startsWith('gone') ? Object.assign(new Error('no such user'), { responseCode: 550 }) : null),
    });
    const verdict = await deliver(outsideWith(server.port), aNotification(), { to: ['ops@example.com', 'gone@example.com'] });
    expect(verdict).toMatchObject({ outcome: 'delivered', responseExcerpt: expect.stringContaining('not for gone@example.com') });
    expect(server.mails).toMatchObject([{ to: ['ops@example.com'] }]);
  });

  test('goes to a domain in any script by its name in DNS', async () => {
    const server = await serving();
    await deliver(outsideWith(server.port), aNotification(), { to: ['ops@bücher.example'] });
    expect(headOf(server.mails[0]?.raw ?? '').split('\r\n')).toContain('To: ops@xn--bcher-kva.example');
  });

  test('whose words hold what ends a mail or begins a header stays one mail', async () => {
    const raw: string[] = [];
    const server = await odd((sent, socket) => {
      raw.push(sent);
      if (sent.startsWith('EHLO')) socket.write('250 odd\r\n');
      else if (/^(MAIL|RCPT)/.test(sent)) socket.write('250 ok\r\n');
      else if (sent.startsWith('DATA')) socket.write('354 go\r\n');
      else if (sent.startsWith('QUIT')) socket.end('221 bye\r\n');
      else if (sent.endsWith('\r\n.\r\n')) socket.write('250 taken\r\n');
    });
    const evil = 'x\r\nBcc: evil@example.com\r\n\r\n.\r\nMAIL FROM:<evil@example.com>\r\n\n.\r\n\n.\n=?utf-8?q?=5BINFO=5D?=';
    const verdict = await deliver(
      outsideWith(server.port),
      aNotification({ alert: { name: evil, metric: evil, labels: { [evil]: evil } }, context: { summary: evil } }),
    );
    expect(verdict.outcome).toBe('delivered');
    const whole = raw.join('');
    const data = whole.slice(whole.indexOf('DATA\r\n') + 6, whole.lastIndexOf('\r\n.\r\n') + 5);
    expect(data.match(/\r\n\.\r\n/g)).toHaveLength(1);
    expect(data.endsWith('\r\n.\r\n')).toBe(true);
    expect(data.replaceAll('\r\n', '')).not.toMatch(/[\r\n]/);
    expect(headOf(data)).not.toMatch(/^(Bcc|MAIL FROM):/m);
    expect(whole.slice(0, whole.indexOf(data)).match(/^MAIL FROM:/gm)).toHaveLength(1);
    expect(whole.slice(whole.indexOf(data) + data.length)).not.toContain('MAIL');
    expect(headOf(data)).not.toContain('=?utf-8?q?=5BINFO=5D?=');
  });
});

describe('encryption', () => {
  const tls = certificates.trusted;

  test('is asked for with STARTTLS, and a server without it gets nothing', async () => {
    const server = await serving({ ...tls, disabledCommands: ['AUTH'] });
    expect(await deliver(outsideWith(server.port, { security: 'starttls' }))).toMatchObject({ outcome: 'delivered' });
    expect(server.mails).toMatchObject([{ isEncrypted: true }]);
    const stripped = await serving();
    expect(await deliver(outsideWith(stripped.port, { security: 'starttls' }))).toMatchObject({ outcome: 'rejected', reason: 'tls' });
    expect(stripped.mails).toEqual([]);
  });

  test('is there from the first byte with tls', async () => {
    const server = await serving({ ...tls, secure: true, disabledCommands: ['AUTH'] });
    expect(await deliver(outsideWith(server.port, { security: 'tls' }))).toMatchObject({ outcome: 'delivered' });
    expect(server.mails).toMatchObject([{ isEncrypted: true }]);
  });

  test.each(['tls', 'starttls'] as const)('with a certificate for another name is refused (%s)', async (security) => {
    const server = await serving({ ...tls, secure: security === 'tls', disabledCommands: ['AUTH'] });
    expect(await deliver(outsideWith(server.port, { security, host: 'other.example' }))).toMatchObject({
      outcome: 'rejected',
      reason: 'tls',
    });
    expect(server.mails).toEqual([]);
  });
});

describe('a login', () => {
  const asking: SMTPServerOptions = {
    key: certificates.trusted.key,
    cert: certificates.trusted.cert,
    disabledCommands: [],
    onAuth: ({ username, password }, _session, done) =>
      password === PASSWORD ? done(null, { user: username }) : done(new Error(`no: ${password ?? ''}`)),
  };
  const login = (password: string) => ({ security: 'starttls' as const, login: { user: 'alerts', password } });

  test('that is right is taken', async () => {
    const server = await serving(asking);
    expect(await deliver(outsideWith(server.port, login(PASSWORD)))).toMatchObject({ outcome: 'delivered' });
    expect(server.mails).toMatchObject([{ user: 'alerts' }]);
  });

  test('that is wrong is final, and the password is in no answer that is kept', async () => {
    const server = await serving(asking);
    const verdict = await deliver(outsideWith(server.port, login('wrong-horse-battery')));
    expect(verdict).toMatchObject({ outcome: 'rejected', reason: 'smtp_535', statusCode: 535 });
    expect(JSON.stringify(verdict)).not.toContain('wrong-horse-battery');
  });

  test('is not skipped where the server asks for none', async () => {
    const server = await serving({ ...asking, disabledCommands: ['AUTH'] });
    expect((await deliver(outsideWith(server.port, login(PASSWORD)))).outcome).not.toBe('delivered');
    expect(server.mails).toEqual([]);
  });
});

describe('what a server says', () => {
  const refusing = (responseCode: number): NonNullable<SMTPServerOptions['onRcptTo']> => {
    return (_address, _session, done) => done(Object.assign(new Error('not now'), { responseCode }));
  };

  test.each([421, 450, 451, 452])('%i: tried again', async (code) => {
    const server = await serving({ onRcptTo: refusing(code) });
    expect(await deliver(outsideWith(server.port))).toMatchObject({
      outcome: 'retry',
      reason: `smtp_${code}`,
      statusCode: code,
      retryAfterMs: null,
    });
  });

  test.each([550, 551, 552, 553, 554])('%i: final', async (code) => {
    const server = await serving({ onRcptTo: refusing(code) });
    expect(await deliver(outsideWith(server.port))).toMatchObject({ outcome: 'rejected', reason: `smtp_${code}`, disable: false });
  });

  test('after all of the mail counts', async () => {
    const server = await serving({
      onData: (stream, _session, done) =>
        void stream.resume().on('end', () => done(Object.assign(new Error('spam'), { responseCode: 554 }))),
    });
    expect(await deliver(outsideWith(server.port))).toMatchObject({
      outcome: 'rejected',
      reason: 'smtp_554',
      responseExcerpt: expect.stringContaining('spam'),
    });
  });

  const upToData = (sent: string, socket: Socket): void => {
    if (sent.startsWith('EHLO')) socket.write('250 odd\r\n');
    else if (/^(MAIL|RCPT)/.test(sent)) socket.write('250 ok\r\n');
    else if (sent.startsWith('DATA')) socket.write('354 go\r\n');
    else socket.resetAndDestroy();
  };

  test.each<[string, (sent: string, socket: Socket) => void, string | undefined]>([
    ['a connection that breaks in the midst of the mail', upToData, undefined],
    ['a connection that ends before the greeting', () => undefined, ''],
    ['a greeting of another protocol', () => undefined, 'HTTP/1.1 400 Bad Request\r\n\r\n'],
  ])('%s: tried again', async (_title, script, greeting) => {
    const server = await oddServer((sent, socket) => script(sent, socket), greeting);
    closing.push(server.close);
    const outside = outsideWith(server.port);
    const connect = async (signal: AbortSignal) => {
      const socket = await door.connect({ host: 'good.example', port: server.port }, { signal });
      if (greeting === '') setImmediate(() => socket.destroy());
      return socket;
    };
    const verdict = await deliver({ ...outside, mailServer: { ...outside.mailServer!, connect } });
    expect(verdict).toMatchObject({ outcome: 'retry', statusCode: null, responseExcerpt: null });
  });

  test('nothing at all: given up with us, and it does not count', async () => {
    const server = await odd(() => undefined, '');
    const giveUp = new AbortController();
    const outcome = deliver(outsideWith(server.port, {}, giveUp.signal));
    giveUp.abort();
    expect(await outcome).toMatchObject({ outcome: 'retry', reason: 'aborted' });
  });

  test('nobody listening: tried again', async () => {
    const server = await oddServer(() => undefined);
    await server.close();
    expect(await deliver(outsideWith(server.port))).toMatchObject({ outcome: 'retry', reason: 'connect' });
  });
});

describe('a mail server of the channel’s own', () => {
  test('is used in place of the installation’s, through the guard', async () => {
    const [ours, theirs] = await Promise.all([serving(), serving()]);
    const config = { to, from: 'a@tenant.example', smtpHost: 'good.example', smtpPort: theirs.port, smtpSecurity: 'off' };
    expect(await deliver(outsideWith(ours.port), aNotification(), config)).toMatchObject({ outcome: 'delivered' });
    expect([ours.mails, theirs.mails.map(({ from }) => from)]).toEqual([[], ['a@tenant.example']]);
    const strict = openOutbound({ allowHttp: false, allowCidrs: [], resolve: async () => ['127.0.0.1'] });
    const guarded = { ...outsideWith(ours.port), connect: (where: { host: string; port: number }) => strict.connect(where) };
    expect(await deliver(guarded, aNotification(), config)).toMatchObject({ outcome: 'rejected', reason: 'blocked_address' });
    expect(theirs.mails).toHaveLength(1);
  });

  test('is needed where the installation has none', async () => {
    expect(await deliver(anOutside())).toEqual({
      outcome: 'suppressed',
      reason: 'smtp_not_configured',
      statusCode: null,
      responseExcerpt: null,
    });
  });
});
