import { expect } from 'vitest';
import { once } from 'node:events';
import { createServer, type AddressInfo, type Server, type Socket } from 'node:net';
import { gzipSync } from 'node:zlib';

/** What a receiver does to a connection once a request has come, of which it sees the bytes. */
type Talk = (socket: Socket, asked: string) => void;

/** How a receiver behaves, whoever asks. */
export interface Personality {
  name: string;
  talk: Talk;
  /** It says nothing, whatever it is sent, and is called by https: the handshake never ends. */
  isTls?: true;
  /** Does not wait for a request. */
  isHasty?: true;
  /** It would go on for ever, so what ends it is a deadline of ours. */
  isEndless?: true;
  /** What every channel makes of it that does not read the body. */
  verdict: Record<string, unknown>;
}

const retry = (reason: string, statusCode: number | null = null) => ({ outcome: 'retry', reason, statusCode });
const refused = (reason: string, statusCode: number) => ({ outcome: 'rejected', reason, statusCode, disable: false });
const delivered = { outcome: 'delivered', statusCode: 200 };

/** A whole answer, after which the receiver hangs up; by default it repeats what it was asked, secrets and all. */
export const answer =
  (status: string, headers: string[] = [], body?: string | Buffer): Talk =>
  (socket, asked) => {
    const said = Buffer.from(body ?? asked);
    const head = [`HTTP/1.1 ${status}`, 'connection: close', `content-length: ${said.length}`, ...headers];
    socket.write(`${head.join('\r\n')}\r\n\r\n`);
    socket.end(said);
  };

/** These bytes, then no more. */
const bytes =
  (said: string): Talk =>
  (socket, asked) =>
    socket.end(said + asked);

/** `head`, then `piece` for as long as somebody listens: at this pace, or as fast as it is taken. */
const endless =
  (head: string, piece: string, everyMs: number | null = null): Talk =>
  (socket) => {
    socket.write(head);
    if (everyMs !== null) {
      const drip = setInterval(() => socket.write(piece), everyMs);
      return void socket.once('close', () => clearInterval(drip));
    }
    const more = (): void => {
      while (!socket.destroyed && socket.write(piece));
      if (!socket.destroyed) socket.once('drain', more);
    };
    more();
  };

const CHUNKED = 'transfer-encoding: chunked\r\n\r\n';
const CHUNK = `10000\r\n${'y'.repeat(65_536)}\r\n`;
const BOMB = gzipSync(Buffer.alloc(32 * 1_048_576, 'a'));

/** Leads to `to`, and says so without an end. */
const redirect = (status: number, to: string): Personality => ({
  name: `leads on with ${status} to ${to}`,
  talk: (socket, asked) => endless(`HTTP/1.1 ${status} Go\r\nlocation: ${to}\r\nrefresh: 0; url=${to}\r\n${CHUNKED}`, CHUNK)(socket, asked),
  verdict: refused('redirect', status),
});

const slowDown = (retryAfter: string, retryAfterMs: number | null): Personality => ({
  name: `asks for peace by 429, and Retry-After: ${retryAfter.slice(0, 40)}`,
  talk: answer('429 Too Many Requests', [`retry-after: ${retryAfter}`]),
  verdict: { ...retry('http_429', 429), retryAfterMs },
});

/** The instant that dates in answers count from. */
export const NOW = Date.parse('2026-03-01T12:00:11.000Z');

export const PERSONALITIES: readonly Personality[] = [
  { name: 'hangs before its headers', talk: () => undefined, isEndless: true, verdict: retry('timeout') },
  { name: 'never ends the TLS handshake', talk: () => undefined, isTls: true, isEndless: true, verdict: retry('timeout') },
  {
    name: 'drips its body for ever',
    talk: endless('HTTP/1.1 200 OK\r\ncontent-length: 100000\r\n\r\n', 'x', 20),
    isEndless: true,
    verdict: retry('timeout'),
  },
  {
    name: 'drips its headers for ever',
    talk: endless('HTTP/1.1 200 OK\r\n', 'x-a: b\r\n', 20),
    isEndless: true,
    verdict: retry('timeout'),
  },
  {
    name: 'has headers without an end',
    talk: endless('HTTP/1.1 200 OK\r\n', `x-a: ${'b'.repeat(4_000)}\r\n`),
    verdict: retry('too_large'),
  },
  { name: 'has one header without an end', talk: endless('HTTP/1.1 200 OK\r\nx-a: ', 'b'.repeat(4_000)), verdict: retry('too_large') },
  { name: 'has a body without an end', talk: endless(`HTTP/1.1 200 OK\r\n${CHUNKED}`, CHUNK), verdict: delivered },
  {
    name: 'refuses with a body without an end',
    talk: endless(`HTTP/1.1 500 No\r\n${CHUNKED}`, CHUNK),
    verdict: retry('http_500', 500),
  },
  { name: 'hangs up at once', talk: (socket) => socket.destroy(), isHasty: true, verdict: { outcome: 'retry', statusCode: null } },
  { name: 'hangs up when asked', talk: (socket) => socket.end(), verdict: retry('bad_response') },
  {
    name: 'resets in the middle',
    talk: (socket) =>
      void socket.write('HTTP/1.1 200 OK\r\ncontent-length: 100\r\n\r\nhalf', () => setImmediate(() => socket.resetAndDestroy())),
    verdict: { outcome: 'retry', statusCode: null, reason: expect.stringMatching(/^(connect|bad_response)$/) },
  },
  {
    name: 'promises more than it sends',
    talk: bytes('HTTP/1.1 200 OK\r\ncontent-length: 1000000\r\n\r\n'),
    verdict: retry('bad_response'),
  },
  { name: 'sends more than it promised', talk: bytes('HTTP/1.1 503 No\r\ncontent-length: 2\r\n\r\nno'), verdict: retry('http_503', 503) },
  {
    name: 'gives two lengths',
    talk: bytes('HTTP/1.1 200 OK\r\ncontent-length: 5\r\ncontent-length: 6\r\n\r\n'),
    verdict: retry('bad_response'),
  },
  { name: 'speaks another protocol', talk: bytes('SSH-2.0-OpenSSH_9.2\r\n'), verdict: retry('bad_response') },
  {
    name: 'changes to another protocol',
    talk: bytes('HTTP/1.1 101 Go\r\nupgrade: x\r\nconnection: upgrade\r\n\r\n'),
    verdict: retry('bad_response'),
  },
  ...['http://127.0.0.1:80/', 'http://169.254.169.254/latest/meta-data/', 'https://other.example/'].map((to) => redirect(302, to)),
  redirect(307, 'https://other.example/'),
  redirect(304, '/'),
  { name: 'drops a gzip bomb', talk: answer('200 OK', ['content-encoding: gzip'], BOMB), verdict: delivered },
  { name: 'refuses with a gzip bomb', talk: answer('502 No', ['content-encoding: gzip'], BOMB), verdict: retry('http_502', 502) },
  slowDown('120', 120_000),
  slowDown('Sun, 01 Mar 2026 12:01:11 GMT', 60_000),
  slowDown('Sun, 01 Mar 2020 12:01:11 GMT', 0),
  slowDown('tomorrow', null),
  slowDown('-5', null),
  slowDown('3\r\nretry-after: 4', null),
  slowDown('9'.repeat(400), Number.POSITIVE_INFINITY),
  { name: 'refuses, and repeats what it was asked', talk: answer('400 No'), verdict: refused('http_400', 400) },
  { name: 'accepts, and repeats what it was asked', talk: answer('200 OK'), verdict: delivered },
  {
    name: 'repeats what it was asked, with something unseen between the letters',
    talk: (socket, asked) => answer('500 No', [], asked.split('').join('\u0000'))(socket, asked),
    verdict: retry('http_500', 500),
  },
];

export interface Receiver {
  /** `http://127.0.0.1:…`, https for one that has TLS. */
  origin: string;
  /** How many connections it has had. */
  connections: () => number;
  /** How many requests it has begun to answer. */
  asked: () => number;
  /** Bytes it could hand to the network. */
  written: () => number;
  /** When the other end has closed all of them. */
  isLeft: () => Promise<void>;
  close: () => Promise<void>;
}

/** A real receiver on a free loopback port that behaves so. */
export async function receiver({ talk, isTls, isHasty }: Pick<Personality, 'talk' | 'isTls' | 'isHasty'>): Promise<Receiver> {
  const sockets: Socket[] = [];
  const left: Promise<void>[] = [];
  let asked = 0;
  const server: Server = createServer((socket) => {
    sockets.push(socket);
    left.push(new Promise((resolve) => socket.once('close', () => resolve())));
    socket.on('error', () => undefined);
    if (isHasty === true) return talk(socket, '');
    socket.once('data', (chunk) => {
      asked += 1;
      talk(socket, chunk.toString());
    });
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  return {
    origin: `${isTls === true ? 'https' : 'http'}://127.0.0.1:${(server.address() as AddressInfo).port}`,
    connections: () => sockets.length,
    asked: () => asked,
    written: () => sockets.reduce((sum, socket) => sum + socket.bytesWritten, 0),
    isLeft: async () => void (await Promise.all(left)),
    close: async () => {
      for (const socket of sockets) socket.destroy();
      server.close();
      await once(server, 'close');
    },
  };
}
