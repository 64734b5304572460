import { once } from 'node:events';
import { createServer, type AddressInfo, type Server, type Socket } from 'node:net';
import { text } from 'node:stream/consumers';
import type { Outbound } from '@tocsin/runtime';
import { SMTPServer, type SMTPServerOptions } from 'smtp-server';
import type { MailServer, Outside } from '../src/outside.ts';
import { anOutside } from './an-outside.ts';

export interface ReceivedMail {
  from: string;
  to: string[];
  /** Head and body, byte for byte. */
  raw: string;
  isEncrypted: boolean;
  user: string | null;
}

/** A real mail server on a free loopback port that keeps what it takes. */
export async function mailServer(options: SMTPServerOptions = {}) {
  const mails: ReceivedMail[] = [];
  const server = new SMTPServer({
    disabledCommands: ['STARTTLS', 'AUTH'],
    disableReverseLookup: true,
    onData: (stream, session, done) => {
      void text(stream).then((raw) => {
        const { mailFrom, rcptTo } = session.envelope;
        mails.push({
          from: mailFrom === false ? '' : mailFrom.address,
          to: rcptTo.map(({ address }) => address),
          raw,
          isEncrypted: session.secure,
          user: session.user ?? null,
        });
        done();
      });
    },
    ...options,
  });
  // a client that hangs up on a certificate it does not know is none of the test's business
  server.on('error', () => undefined);
  const listening = server.listen(0, '127.0.0.1');
  await once(listening, 'listening');
  return {
    mails,
    port: (listening.address() as AddressInfo).port,
    close: () => new Promise<void>((resolve) => server.close(() => resolve())),
  };
}

/** A server that says `220` and from then on what the script says to each piece it is sent. */
export async function oddServer(script: (sent: string, socket: Socket) => void, greeting = '220 odd\r\n') {
  const sockets = new Set<Socket>();
  const server: Server = createServer((socket) => {
    sockets.add(socket.on('error', () => undefined));
    if (greeting !== '') socket.write(greeting);
    socket.on('data', (chunk) => script(chunk.toString(), socket));
  }).listen(0, '127.0.0.1');
  await once(server, 'listening');
  return {
    port: (server.address() as AddressInfo).port,
    close: async () => {
      for (const socket of sockets) socket.destroy();
      server.close();
      await once(server, 'close');
    },
  };
}

/** The world with a mail server of the installation's, through the door. */
export function outsideWithMail(door: Outbound, change: Partial<MailServer> & { port: number }, signal?: AbortSignal): Outside {
  const server: MailServer = { host: 'good.example', security: 'off', login: null, from: 'Tocsin <alerts@good.example>', ...change };
  return {
    ...anOutside(),
    ...(signal === undefined ? {} : { signal }),
    connect: (where, given) => door.connect(where, { signal: given }),
    mailServer: { ...server, connect: (given) => door.connect(server, { signal: given, isOurs: true }) },
  };
}

/** The head of a mail, unfolded. */
export const headOf = (raw: string): string => raw.slice(0, raw.indexOf('\r\n\r\n')).replaceAll(/\r\n[ \t]+/g, ' ');
