import { expect, test } from 'vitest';
import { ConfigError } from './load-config.ts';
import { smtpServerOf, type SmtpServer, type SmtpVariables } from './smtp-server.ts';

const from = 'Tocsin <alerts@example.com>';

test.each<[string, SmtpVariables, SmtpServer | null]>([
  ['nothing', {}, null],
  ['nothing but undefined', { smtpUrl: undefined, smtpFrom: undefined }, null],
  [
    'a URL',
    { smtpUrl: 'smtp://mail.example', smtpFrom: from },
    { host: 'mail.example', port: 587, security: 'starttls', login: null, from },
  ],
  [
    'a URL with a login and TLS',
    { smtpUrl: 'smtps://user%40x:p%25w@mail.example', smtpFrom: from },
    { host: 'mail.example', port: 465, security: 'tls', login: { user: 'user@x', password: 'p%w' }, from },
  ],
  [
    'a stray percent sign',
    { smtpUrl: 'smtp://u:100%@mail.example:2525', smtpFrom: from },
    { host: 'mail.example', port: 2_525, security: 'starttls', login: { user: 'u', password: '100%' }, from },
  ],
  [
    'an IPv6 address',
    { smtpUrl: 'smtp://[::1]:25', smtpSecurity: 'off', smtpFrom: from },
    { host: '::1', port: 25, security: 'off', login: null, from },
  ],
  [
    'parts',
    { smtpHost: 'mail.example', smtpPort: 465, smtpUser: 'u', smtpPassword: 'p', smtpFrom: from },
    { host: 'mail.example', port: 465, security: 'tls', login: { user: 'u', password: 'p' }, from },
  ],
  [
    'a host alone',
    { smtpHost: 'mail.example', smtpFrom: from },
    { host: 'mail.example', port: 587, security: 'starttls', login: null, from },
  ],
])('%s', (_title, given, server) => expect(smtpServerOf(given)).toEqual(server));

test.each<[SmtpVariables, string[]]>([
  [{ smtpFrom: from }, ['TOCSIN_SMTP_HOST']],
  [{ smtpHost: 'mail.example' }, ['TOCSIN_SMTP_FROM']],
  [{ smtpPassword: 'hunter2', smtpFrom: from }, ['TOCSIN_SMTP_HOST', 'TOCSIN_SMTP_PASSWORD']],
  [{ smtpUrl: 'smtp://mail.example', smtpHost: 'mail.example', smtpPort: 25, smtpFrom: from }, ['TOCSIN_SMTP_HOST', 'TOCSIN_SMTP_PORT']],
  [{ smtpUrl: 'smtp://hunter2@mail.example', smtpFrom: from }, ['TOCSIN_SMTP_URL']],
  [{ smtpUrl: 'smtp:', smtpFrom: from }, ['TOCSIN_SMTP_URL']],
])('%j does not fit together', (given, variables) => {
  try {
    smtpServerOf(given);
    expect.unreachable();
  } catch (error) {
    if (!(error instanceof ConfigError)) throw error;
    expect(error.problems.map(({ variable }) => variable)).toEqual(variables);
    expect(error.message).not.toContain('hunter2');
  }
});
