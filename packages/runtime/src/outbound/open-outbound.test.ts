import { certificates, testCa } from '@tocsin/testkit';
import { CONNECTION_HEADERS } from '@tocsin/domain';
import { once } from 'node:events';
import { type IncomingMessage, type RequestListener, type ServerResponse, createServer } from 'node:http';
import { createServer as createTlsServer } from 'node:https';
import { type AddressInfo, type Server, type Socket, createServer as createTcpServer } from 'node:net';
import { getCACertificates, setDefaultCACertificates } from 'node:tls';
import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest';
import { type OutboundLimits, openOutbound } from './open-outbound.ts';

const ending: (() => unknown)[] = [];
afterEach(async () => {
  for (const end of ending.splice(0).reverse()) await end();
});

const listening = async (server: Server): Promise<number> => {
  const sockets = new Set<Socket>();
  server.on('connection', (socket: Socket) => sockets.add(socket));
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  ending.push(() => {
    for (const socket of sockets) socket.destroy();
    return new Promise((resolve) => server.close(resolve));
  });
  return (server.address() as AddressInfo).port;
};
const http = async (listener: RequestListener): Promise<string> => `http://127.0.0.1:${await listening(createServer(listener))}`;
/** A receiver that speaks for itself, byte by byte. */
const raw = async (talk: (socket: Socket) => void): Promise<string> =>
  `http://127.0.0.1:${await listening(
    createTcpServer((socket) => {
      socket.on('error', () => undefined);
      socket.once('data', () => talk(socket));
    }),
  )}`;
const door = (limits: Partial<OutboundLimits> = {}, resolve?: (name: string) => Promise<string[]>) => {
  const outbound = openOutbound({ allowHttp: true, allowCidrs: ['127.0.0.0/8'], limits, ...(resolve === undefined ? {} : { resolve }) });
  ending.push(() => outbound.close());
  return outbound;
};

describe('a request through the outbound door', () => {
  test('arrives as it was given, and the answer comes back', async () => {
    let seen: { method?: string | undefined; headers: IncomingMessage['headers']; body: string } | undefined;
    const url = await http(async (request, response) => {
      const chunks: Buffer[] = [];
      for await (const chunk of request as AsyncIterable<Buffer>) chunks.push(chunk);
      seen = { method: request.method, headers: request.headers, body: Buffer.concat(chunks).toString() };
      response.writeHead(201, { 'Retry-After': '3', 'X-Two': ['a', 'b'] }).end('grüezi');
    });
    const answer = await door().request({
      url,
      method: 'POST',
      headers: { 'webhook-id': 'd-1', 'content-type': 'application/json' },
      body: '{"a":"ü"}',
    });
    expect(answer).toMatchObject({ status: 201, body: 'grüezi', truncated: false, headers: { 'retry-after': '3', 'x-two': 'a, b' } });
    expect(seen).toMatchObject({ method: 'POST', body: '{"a":"ü"}', headers: { 'webhook-id': 'd-1', 'accept-encoding': 'identity' } });
    expect(seen?.headers).not.toHaveProperty('cookie');
  });

  test.each([200, 204, 400, 404, 410, 429, 500, 503])('an answer of %i is an answer', async (status) => {
    const url = await http((_request, response) => response.writeHead(status).end());
    expect((await door().request({ url })).status).toBe(status);
  });

  test('connections are kept and used again', async () => {
    let connections = 0;
    const server = createServer((_request, response) => response.end()).on('connection', () => (connections += 1));
    const url = `http://127.0.0.1:${await listening(server)}`;
    const outbound = door();
    for (let call = 0; call < 50; call += 1) await outbound.request({ url });
    expect(connections).toBeLessThanOrEqual(2);
  });

  test.each([301, 302, 303, 307, 308])('a %i is final: where it leads is not asked', async (status) => {
    let asked = 0;
    const inside = await http((_request, response) => {
      asked += 1;
      response.end();
    });
    const url = await http((_request, response) => response.writeHead(status, { location: inside, refresh: `0; url=${inside}` }).end());
    await expect(door().request({ url })).rejects.toMatchObject({ code: 'redirect', status });
    expect(asked).toBe(0);
  });

  test('a Set-Cookie is not brought back', async () => {
    const cookies: (string | undefined)[] = [];
    const url = await http((request, response) => {
      cookies.push(request.headers.cookie);
      response.writeHead(200, { 'set-cookie': 'session=1' }).end();
    });
    const outbound = door();
    await outbound.request({ url });
    await outbound.request({ url });
    expect(cookies).toEqual([undefined, undefined]);
  });

  test.each(['Host', 'Content-Length', 'Transfer-Encoding', 'Connection', 'Cookie', 'Accept-Encoding', ...CONNECTION_HEADERS])(
    'the header %s is the door’s own',
    async (name) => {
      const url = await http((_request, response) => response.end());
      await expect(door().request({ url, headers: { [name]: 'x' } })).rejects.toMatchObject({ code: 'invalid_request' });
    },
  );

  test('a header with a line break is refused and not repeated', async () => {
    const url = await http((_request, response) => response.end());
    const error: unknown = await door()
      .request({ url, headers: { 'x-a': 'hunter2\r\nx-b: 1' } })
      .catch((reason: unknown) => reason);
    expect(error).toMatchObject({ code: 'invalid_request' });
    expect(String(error)).not.toContain('hunter2');
  });
});

describe('names that change their mind', () => {
  test('a name that was public when saved and private when sent to is refused, and nothing connects', async () => {
    let connections = 0;
    const server = createServer((_request, response) => response.end()).on('connection', () => (connections += 1));
    const port = await listening(server);
    const answers = [['93.184.215.14'], ['127.0.0.1']];
    const outbound = openOutbound({
      allowHttp: true,
      allowCidrs: [],
      allowPorts: [port],
      resolve: async () => answers.shift() ?? ['127.0.0.1'],
    });
    ending.push(() => outbound.close());
    const url = `http://rebind.example.com:${port}/`;
    expect(await outbound.checkUrl(url)).toEqual({ ok: true });
    await expect(outbound.request({ url })).rejects.toMatchObject({ code: 'blocked_address' });
    expect(connections).toBe(0);
  });

  test('the address connected to is the one checked: the name is asked once', async () => {
    let asked = 0;
    const url = new URL(await http((_request, response) => response.end('here')));
    url.hostname = 'receiver.example.com';
    const outbound = door({}, async () => (asked++ === 0 ? ['127.0.0.1'] : ['10.0.0.1']));
    expect((await outbound.request({ url: url.href })).body).toBe('here');
    expect(asked).toBe(1);
  });

  test('a name with one private address among public ones is refused whole', async () => {
    await expect(door({}, async () => ['127.0.0.1', '10.0.0.1']).request({ url: 'http://two.example.com/' })).rejects.toMatchObject({
      code: 'blocked_address',
    });
    await expect(door({}, async () => []).request({ url: 'http://none.example.com/' })).rejects.toMatchObject({ code: 'dns' });
  });

  test('a resolver that hangs does not hold the request', async () => {
    await expect(
      door({ connectMs: 200, totalMs: 400 }, () => new Promise(() => undefined)).request({ url: 'http://slow.example.com/' }),
    ).rejects.toMatchObject({ code: 'timeout' });
  });
});

describe('hostile receivers', () => {
  test('accepts and says nothing: timeout', async () => {
    const url = await raw(() => undefined);
    await expect(door({ totalMs: 300 }).request({ url })).rejects.toMatchObject({ code: 'timeout', message: 'no complete answer in time' });
  });

  test('headers late: timeout before the total', async () => {
    const url = await raw(() => undefined);
    await expect(door({ headersMs: 500, totalMs: 10_000 }).request({ url })).rejects.toMatchObject({
      code: 'timeout',
      message: 'no answer in time',
    });
  });

  test('never completes a TLS handshake: timeout', async () => {
    const url = (await raw(() => undefined)).replace('http:', 'https:');
    await expect(door({ connectMs: 500 }).request({ url })).rejects.toMatchObject({ code: 'timeout', message: 'no connection in time' });
  });

  test('drips a byte at a time for ever: cut at the total', async () => {
    const url = await raw((socket) => {
      socket.write('HTTP/1.1 200 OK\r\ncontent-length: 100000\r\n\r\n');
      const drip = setInterval(() => socket.write('x'), 20);
      socket.once('close', () => clearInterval(drip));
    });
    await expect(door({ totalMs: 400 }).request({ url })).rejects.toMatchObject({ code: 'timeout' });
  });

  test('drips its headers for ever: cut at the total', async () => {
    const url = await raw((socket) => {
      socket.write('HTTP/1.1 200 OK\r\n');
      const drip = setInterval(() => socket.write('x-a: b\r\n'), 20);
      socket.once('close', () => clearInterval(drip));
    });
    await expect(door({ totalMs: 400 }).request({ url })).rejects.toMatchObject({ code: 'timeout' });
  });

  test('an endless body is cut at 64 KiB, the status stands, and the receiver is hung up on', async () => {
    const hungUp = Promise.withResolvers<void>();
    let written = 0;
    const url = await raw((socket) => {
      socket.once('close', () => hungUp.resolve());
      socket.write('HTTP/1.1 500 Oh no\r\ntransfer-encoding: chunked\r\n\r\n');
      const more = (): void => {
        while (!socket.destroyed && socket.write(`10000\r\n${'y'.repeat(65_536)}\r\n`)) written += 65_536;
        if (!socket.destroyed) socket.once('drain', more);
      };
      more();
    });
    const answer = await door().request({ url });
    expect(answer).toMatchObject({ status: 500, truncated: true });
    expect(answer.body).toHaveLength(65_536);
    await hungUp.promise;
    expect(written).toBeLessThan(50_000_000);
  });

  test('a smaller limit may be asked for, a larger one not', async () => {
    const url = await http((_request, response) => response.end('z'.repeat(100_000)));
    expect((await door().request({ url, maxResponseBytes: 1_024 })).body).toHaveLength(1_024);
    expect((await door().request({ url, maxResponseBytes: 1_000_000 })).body).toHaveLength(65_536);
  });

  test('a gzip bomb stays as small as it was sent', async () => {
    const url = await http((_request, response) => response.writeHead(200, { 'content-encoding': 'gzip' }).end(Buffer.alloc(2_000, 7)));
    expect((await door().request({ url })).body).toHaveLength(2_000);
  });

  test.each([
    ['one header line of 1 MB', `x-long: ${'a'.repeat(1_000_000)}\r\n`],
    ['ten thousand headers', Array.from({ length: 10_000 }, (_, index) => `x-${index}: b\r\n`).join('')],
  ])('%s: too_large', async (_title, headers) => {
    const url = await raw((socket) => socket.write(`HTTP/1.1 200 OK\r\n${headers}\r\n`));
    await expect(door().request({ url })).rejects.toMatchObject({ code: 'too_large' });
  });

  test.each([
    ['not HTTP at all', 'SSH-2.0-OpenSSH_9.2\r\n'],
    ['closes without an answer', ''],
    ['promises more than it sends', 'HTTP/1.1 200 OK\r\ncontent-length: 100\r\n\r\nshort'],
    ['two lengths that differ', 'HTTP/1.1 200 OK\r\ncontent-length: 5\r\ncontent-length: 6\r\n\r\nhello'],
    ['switches protocols unasked', 'HTTP/1.1 101 Switching Protocols\r\nupgrade: websocket\r\nconnection: upgrade\r\n\r\n'],
  ])('%s: bad_response', async (_title, bytes) => {
    const url = await raw((socket) => socket.end(bytes));
    await expect(door().request({ url })).rejects.toMatchObject({ code: 'bad_response' });
  });

  test('a flood of 1xx answers ends at the total', async () => {
    const url = await raw((socket) => {
      const flood = setInterval(() => socket.write('HTTP/1.1 103 Early Hints\r\n\r\n'), 5);
      socket.once('close', () => clearInterval(flood));
    });
    await expect(door({ totalMs: 400 }).request({ url })).rejects.toMatchObject({ code: expect.stringMatching(/timeout|bad_response/) });
  });

  test('nobody there: connect, with nothing of the address in the words', async () => {
    const port = await listening(createTcpServer());
    await ending.pop()?.();
    const error: unknown = await door()
      .request({ url: `http://127.0.0.1:${port}/hunter2` })
      .catch((reason: unknown) => reason);
    expect(error).toMatchObject({ code: 'connect', message: 'the connection failed (ECONNREFUSED)' });
    expect(JSON.stringify(error) + String(error)).not.toMatch(/hunter2|127\.0/);
    expect((error as Error).cause).toBeUndefined();
  });

  test('the caller gives up: aborted, before and during', async () => {
    const url = await raw(() => undefined);
    await expect(door().request({ url }, AbortSignal.abort())).rejects.toMatchObject({ code: 'aborted' });
    const caller = new AbortController();
    const asked = door().request({ url }, caller.signal);
    caller.abort();
    await expect(asked).rejects.toMatchObject({ code: 'aborted' });
  });
});

describe('TLS', () => {
  const before = getCACertificates('default');
  beforeAll(() => setDefaultCACertificates([...before, testCa]));
  afterAll(() => setDefaultCACertificates(before));
  const tls = async (certificate: { key: string; cert: string }) =>
    await listening(createTlsServer(certificate, (_request, response: ServerResponse) => response.end('secure')));
  const toLoopback = async () => ['127.0.0.1'];

  test('a certificate for the name is accepted', async () => {
    const port = await tls(certificates.trusted);
    expect((await door({}, toLoopback).request({ url: `https://good.example:${port}/` })).body).toBe('secure');
    expect((await door({}, toLoopback).request({ url: `https://good.example.:${port}/` })).body).toBe('secure');
  });

  test.each([
    ['self-signed', certificates.selfSigned, 'good.example'],
    ['expired', certificates.expired, 'good.example'],
    ['for another name', certificates.trusted, 'other.example'],
    ['for a name, asked for by address', certificates.trusted, '127.0.0.1'],
  ])('a certificate that is %s is refused', async (_title, certificate, host) => {
    const port = await tls(certificate);
    await expect(door({}, toLoopback).request({ url: `https://${host}:${port}/` })).rejects.toMatchObject({ code: 'tls' });
  });

  test('plain HTTP where TLS was expected is refused', async () => {
    const url = (await http((_request, response) => response.end())).replace('http:', 'https:');
    await expect(door().request({ url })).rejects.toMatchObject({ code: 'tls' });
  });
});

describe('the fetch-shaped face', () => {
  test('sends and answers like fetch', async () => {
    const url = await http((request, response) => response.writeHead(429, { 'retry-after': '7' }).end(request.headers['content-type']));
    const answer = await door().fetch(url, { method: 'POST', headers: { 'Content-Type': 'application/json' }, body: '{}' });
    expect([answer.status, answer.ok, answer.headers.get('retry-after'), await answer.text()]).toEqual([
      429,
      false,
      '7',
      'application/json',
    ]);
  });

  test('is the same door', async () => {
    await expect(openOutbound({ allowHttp: false, allowCidrs: [] }).fetch('https://169.254.169.254/')).rejects.toMatchObject({
      code: 'blocked_address',
    });
    const url = await http((_request, response) => response.writeHead(302, { location: '/' }).end());
    await expect(door().fetch(url, { redirect: 'follow' })).rejects.toMatchObject({ code: 'redirect' });
    const empty = await http((_request, response) => response.writeHead(204).end());
    expect((await door().fetch(empty)).status).toBe(204);
  });

  test('refuses what it cannot do', async () => {
    await expect(door().fetch(new Request('http://127.0.0.1/'))).rejects.toMatchObject({ code: 'invalid_request' });
    await expect(door().fetch('http://127.0.0.1/', { method: 'POST', body: new Blob(['x']) })).rejects.toMatchObject({
      code: 'invalid_request',
    });
    await expect(door().fetch('http://127.0.0.1/', { method: 'CONNECT' })).rejects.toMatchObject({ code: 'invalid_request' });
  });
});
