import { once } from 'node:events';
import { type AddressInfo, connect, type Socket } from 'node:net';
import type { FastifyInstance } from 'fastify';
import { afterAll, afterEach, beforeAll, expect, test, vi } from 'vitest';
import { buildApi } from '../src/build-api.ts';
import { ADMIN_KEY, openWorld, type World } from './open-world.ts';

const LARGER_THAN_ANY_BUFFER = 64 * 1_024 * 1_024;

let world: World;
let app: FastifyInstance;
let key: string;
const served: Socket[] = [];
const sockets: Socket[] = [];

beforeAll(async () => {
  world = await openWorld();
  key = await (await world.tenant()).apiKey('admin');
  app = await buildApi({
    services: world.services,
    adminKey: ADMIN_KEY,
    dependencies: {},
    limits: { requestMs: 400, silenceMs: 400, keepAliveMs: 400, checkEveryMs: 50 },
    extend: (api) => void api.get('/large', { config: { permission: 'public' } }, async () => 'x'.repeat(LARGER_THAN_ANY_BUFFER)),
  });
  app.server.on('connection', (socket) => served.push(socket));
  await app.listen({ host: '127.0.0.1', port: 0 });
});
afterEach(() => {
  for (const socket of sockets.splice(0)) socket.destroy();
  served.length = 0;
});
afterAll(async () => {
  await app.close();
  await world.close();
});

async function dial(): Promise<Socket> {
  const socket = connect((app.server.address() as AddressInfo).port, '127.0.0.1');
  socket.on('error', () => undefined);
  sockets.push(socket);
  await once(socket, 'connect');
  return socket;
}

/** Sends the first part at once and the second over and over; answers what came back until the end. */
async function drip(first: string, again: string): Promise<string> {
  const socket = await dial();
  let answer = '';
  socket.setEncoding('utf8').on('data', (text: string) => (answer += text));
  socket.write(first);
  const timer = setInterval(() => socket.write(again), 20);
  await once(socket, 'close');
  clearInterval(timer);
  return answer;
}

const post = (headers: string): string => `POST /api/v1/rules HTTP/1.1\r\nHost: x\r\n${headers}`;
const authorized = (): string => `Authorization: Bearer ${key}\r\nContent-Type: application/json\r\n`;

test('headers that come a byte at a time are a 408 problem and the end of the connection', async () => {
  const answer = await drip(post('X-Slow: '), 'x');
  expect(answer).toMatch(/^HTTP\/1\.1 408 /);
  expect(answer).toContain('"type":"/errors/request_timeout"');
});

test.each([
  ['with a length', () => 'Content-Length: 100000\r\n\r\n', 'x'],
  ['in chunks', () => 'Transfer-Encoding: chunked\r\n\r\n', '1\r\nx\r\n'],
])('so is a body %s, and it leaves nothing of a fault in the log', async (_how, framing, piece) => {
  const logged = vi.spyOn(app.log, 'error');
  expect(await drip(post(authorized() + framing()), piece)).toMatch(/^HTTP\/1\.1 408 /);
  expect(logged).not.toHaveBeenCalled();
});

test('whoever does not read the answer is hung up on, and the answer is let go', async () => {
  const socket = await dial();
  socket.pause();
  socket.write('GET /large HTTP/1.1\r\nHost: x\r\n\r\n');
  await vi.waitFor(() => expect(served[0]?.destroyed).toBe(true), { timeout: 45_000 });
});

test('connections that say nothing keep nobody out, and end', async () => {
  await Promise.all(Array.from({ length: 300 }, dial));
  const used = await Promise.all(Array.from({ length: 100 }, dial));
  for (const socket of used) socket.write('GET /healthz HTTP/1.1\r\nHost: x\r\n\r\n');
  const { port } = app.server.address() as AddressInfo;
  expect((await fetch(`http://127.0.0.1:${port}/healthz`)).status).toBe(200);
  expect(served.length).toBeGreaterThanOrEqual(400);
  await vi.waitFor(() => expect(served.every(({ destroyed }) => destroyed)).toBe(true), { timeout: 45_000 });
});

test.each([['destroy'], ['end'], ['resetAndDestroy']] as const)(
  'a client that goes away within its body (%s) is no fault of ours',
  async (how) => {
    const logged = vi.spyOn(app.log, 'error');
    const gone = new Promise<number>((resolve) => {
      app.server.once('request', (_request, response) => response.once('close', () => resolve(response.statusCode)));
    });
    const socket = await dial();
    socket.write(`${post(authorized())}Content-Length: 1000\r\n\r\n{"na`);
    await vi.waitFor(() => expect(served[0]?.bytesRead).toBeGreaterThan(0));
    socket[how]();
    expect(await gone).toBeLessThan(500);
    expect(logged).not.toHaveBeenCalled();
  },
);
