import { z } from 'zod';
import { defineChannel } from '../channel.ts';
import type { MailServer } from '../outside.ts';
import { address, sender } from './addresses.ts';
import { MailContent, mailContent } from './mail-content.ts';
import { RECIPIENTS_MAX, sendMail } from './send-mail.ts';

const SECURITIES = ['tls', 'starttls', 'off'] as const;
const PORTS = { tls: 465, starttls: 587, off: 587 } as const;

const fields = z.strictObject({
  to: z
    .array(address)
    .min(1)
    .max(RECIPIENTS_MAX)
    .refine((all) => new Set(all.map((each) => each.toLowerCase())).size === all.length, 'names an address twice')
    .meta({ title: 'To', description: `Up to ${RECIPIENTS_MAX} addresses.` }),
  from: sender.optional().meta({ title: 'From', description: 'With a mail server of its own: address, or Name <address>.' }),
  smtpHost: z.string().min(1).max(253).optional().meta({ title: 'Mail server', description: 'In place of the installation’s.' }),
  smtpPort: z.int().min(1).max(65_535).optional().meta({ title: 'Port', description: '465 with tls, else 587.' }),
  smtpSecurity: z.enum(SECURITIES).optional().meta({ title: 'Encryption', description: 'starttls, or tls from the start on port 465.' }),
  smtpUser: z.string().min(1).max(320).optional().meta({ title: 'User' }),
  smtpPassword: z.string().min(1).max(1_024).nullish().meta({ title: 'Password', description: 'null takes it away.', secret: true }),
});
type Config = z.output<typeof fields>;

const config = fields
  .refine((given) => given.smtpHost === undefined || given.from !== undefined, {
    path: ['from'],
    message: 'is needed with a mail server of its own',
  })
  .refine((given) => given.smtpHost !== undefined || !hasServerFields(given), {
    path: ['smtpHost'],
    message: 'is needed: the rest is about a mail server of its own',
  })
  .refine((given) => (given.smtpUser === undefined) === (given.smtpPassword == null), {
    path: ['smtpPassword'],
    message: 'a user and a password belong together',
  })
  .refine((given) => given.smtpPassword == null || given.smtpSecurity !== 'off', {
    path: ['smtpSecurity'],
    message: 'a password is not sent unencrypted',
  });
/** Mail by SMTP: through the channel's own server, else the installation's. */
export const email = defineChannel({
  kind: 'email',
  maxPerMinute: 20,
  label: 'E-mail',
  config,
  hosts: (given) => {
    const server = ownServer(given);
    return server === null ? [] : [{ pointer: '/smtpHost', host: server.host, port: server.port }];
  },

  render: (notification) => JSON.stringify(mailContent(notification)),

  async deliver(body, given, outside, { deliveryId }) {
    const content = MailContent.parse(JSON.parse(body));
    const own = ownServer(given);
    const { mailServer } = outside;
    const server = own === null ? mailServer : { ...own, connect: (signal: AbortSignal) => outside.connect(own, signal) };
    if (server === null) return { outcome: 'suppressed', reason: 'smtp_not_configured', statusCode: null, responseExcerpt: null };
    // a mail of several alerts is the first of none of them
    const thread = content.groupIds === undefined ? outside.thread : null;
    return sendMail({ content, to: given.to, deliveryId, thread, server, connect: server.connect, signal: outside.signal });
  },
});

function ownServer({ smtpHost, smtpPort, smtpSecurity, smtpUser, smtpPassword, from }: Config): MailServer | null {
  if (smtpHost === undefined || from === undefined) return null;
  const security = smtpSecurity ?? (smtpPort === PORTS.tls ? 'tls' : 'starttls');
  const login = smtpUser === undefined || smtpPassword == null ? null : { user: smtpUser, password: smtpPassword };
  return { host: smtpHost, port: smtpPort ?? PORTS[security], security, login, from };
}

/** A `from` on the installation's server would let anybody write in anybody's name. */
const hasServerFields = ({ from, smtpPort, smtpSecurity, smtpUser, smtpPassword }: Config): boolean =>
  [from, smtpPort, smtpSecurity, smtpUser, smtpPassword].some((field) => field != null);
