import { createServer, type AddressInfo, type Server } from 'node:net';
import { once } from 'node:events';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { openOutbound } from './open-outbound.ts';

let server: Server;
let port: number;
beforeAll(async () => {
  server = createServer((socket) => socket.on('error', () => undefined).end('220 ready\r\n')).listen(0, '127.0.0.1');
  await once(server, 'listening');
  ({ port } = server.address() as AddressInfo);
});
afterAll(() => server.close());

const resolve = async (hostname: string): Promise<string[]> => {
  const addresses: Record<string, string[]> = {
    'mail.example': ['127.0.0.1'],
    'half.example': ['93.184.215.14', '10.0.0.1'],
    'public.example': ['93.184.215.14'],
  };
  const found = addresses[hostname];
  if (found === undefined) throw Object.assign(new Error(`getaddrinfo ENOTFOUND ${hostname}`), { code: 'ENOTFOUND' });
  return found;
};
const strict = openOutbound({ allowHttp: false, allowCidrs: [], resolve });
const loopback = openOutbound({ allowHttp: false, allowCidrs: ['127.0.0.0/8'], resolve });

async function greeting(socket: Awaited<ReturnType<typeof strict.connect>>): Promise<string> {
  const [chunk] = (await once(socket, 'data')) as [Buffer];
  socket.destroy();
  return chunk.toString();
}

describe('a connection that is not HTTP', () => {
  test('reaches a network the operator allows, by name and by address', async () => {
    expect(await greeting(await loopback.connect({ host: 'mail.example', port }))).toBe('220 ready\r\n');
    expect(await greeting(await loopback.connect({ host: '127.0.0.1', port }))).toBe('220 ready\r\n');
    expect(await greeting(await loopback.connect({ host: 'localhost.', port }))).toBe('220 ready\r\n');
  });

  test.each([
    'mail.example',
    '127.0.0.1',
    'localhost',
    '2130706433',
    '0x7f.1',
    '[::1]',
    '::1',
    '::ffff:127.0.0.1',
    'metadata',
    '169.254.169.254',
    'half.example',
  ])('to %s is refused with no packet, when it is saved and when it is made', async (host) => {
    await expect(strict.connect({ host, port: 587 })).rejects.toMatchObject({ name: 'OutboundError', code: 'blocked_address' });
    expect(await strict.checkHost({ host, port: 587 })).toMatchObject({ ok: false, code: 'blocked_address' });
  });

  test.each([
    '',
    ' ',
    'a b',
    'a\nb',
    'user@mail.example',
    'mail.example/x',
    'mail.example?',
    'mail.example#',
    'a\\b',
    '%6c',
    'mail.example:25:x',
    '..',
  ])('to the host %j is refused', async (host) => {
    await expect(strict.connect({ host, port: 587 })).rejects.toMatchObject({ code: 'url_not_allowed' });
    expect(await strict.checkHost({ host, port: 587 })).toMatchObject({ ok: false, code: 'url_not_allowed' });
  });

  test.each([0, -1, 1.5, 65_536, 25, 22, 80, 443, 6_379])('to port %s of a public address is refused', async (wrong) => {
    await expect(strict.connect({ host: 'public.example', port: wrong })).rejects.toMatchObject({ code: 'url_not_allowed' });
  });

  test.each([465, 587, 2_525])('to port %i of a public address may be saved', async (submission) => {
    expect(await strict.checkHost({ host: 'public.example', port: submission })).toEqual({ ok: true });
  });

  test('to a host that the operator named may lead anywhere', async () => {
    expect(await greeting(await strict.connect({ host: 'mail.example', port }, { isOurs: true }))).toBe('220 ready\r\n');
  });

  test('that does not come about says how, and never where', async () => {
    const closed = createServer().listen(0, '127.0.0.1');
    await once(closed, 'listening');
    const { port: nobody } = closed.address() as AddressInfo;
    closed.close();
    const refused: unknown = await loopback.connect({ host: '127.0.0.1', port: nobody }).catch((error: unknown) => error);
    expect(refused).toMatchObject({ code: 'connect' });
    expect(String(refused)).not.toContain('127.0.0.1');
    await expect(loopback.connect({ host: 'nowhere.example', port })).rejects.toMatchObject({ code: 'dns' });
    await expect(loopback.connect({ host: '127.0.0.1', port }, { signal: AbortSignal.abort() })).rejects.toMatchObject({ code: 'aborted' });
    const giveUp = new AbortController();
    const silent = openOutbound({
      allowHttp: false,
      allowCidrs: [],
      resolve: () => new Promise(() => undefined),
      limits: { connectMs: 50 },
    });
    await expect(silent.connect({ host: 'silent.example', port })).rejects.toMatchObject({ code: 'timeout' });
    const waiting = openOutbound({ allowHttp: false, allowCidrs: [], resolve: () => new Promise(() => undefined) }).connect(
      { host: 'silent.example', port },
      { signal: giveUp.signal },
    );
    giveUp.abort();
    await expect(waiting).rejects.toMatchObject({ code: 'aborted' });
  });
});
