import { type AddressInfo, connect, type Socket } from 'node:net';
import { afterAll, beforeAll, expect, test, vi } from 'vitest';
import { type Actor, expectProblem, openWorld, type World } from './open-world.ts';

const LARGEST = 5 * 1_024 * 1_024;
const AT_ONCE = { ofAll: 100, ofOneTenant: 25 };

let world: World;
let tenants: Actor[];
const sockets: Socket[] = [];

beforeAll(async () => {
  world = await openWorld();
  tenants = await Promise.all(Array.from({ length: 5 }, (_, index) => world.tenant(`Tenant ${index}`)));
  await world.app.listen({ host: '127.0.0.1', port: 0 });
});
afterAll(() => world.close());

/** Begins so many requests that announce a body and send none of it; answers the status lines that come back at once. */
async function begin(tenant: Actor, count: number, framing: string): Promise<string[]> {
  const key = await tenant.apiKey('editor');
  const answers: string[] = [];
  const { port } = world.app.server.address() as AddressInfo;
  const begun = vi.fn<() => void>();
  world.app.server.on('request', begun);
  for (let index = 0; index < count; index += 1) {
    const socket = connect(port, '127.0.0.1');
    sockets.push(socket);
    socket.on('error', () => undefined).setEncoding('utf8');
    socket.on('data', (text: string) => answers.push(text.split('\r\n', 1)[0] ?? ''));
    socket.write(
      `POST /api/v1/events HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer ${key}\r\nContent-Type: application/json\r\n${framing}\r\n\r\n`,
    );
  }
  await vi.waitFor(() => expect(begun).toHaveBeenCalledTimes(count), { timeout: 45_000 });
  world.app.server.off('request', begun);
  return answers;
}

const events = { events: [{ name: 'call' }] };

test.each([
  ['of the largest size', `Content-Length: ${LARGEST}`],
  ['in chunks', 'Transfer-Encoding: chunked'],
])('bodies %s that never come take the room of their tenant and not that of others, and give it back', async (_what, framing) => {
  const [first, other] = tenants as [Actor, Actor];
  const refused = await begin(first, AT_ONCE.ofOneTenant + 3, framing);
  await vi.waitFor(() =>
    expect(refused).toEqual(['HTTP/1.1 429 Too Many Requests', 'HTTP/1.1 429 Too Many Requests', 'HTTP/1.1 429 Too Many Requests']),
  );
  const answer = await first.ask('POST', '/events', events, { 'content-length': String(JSON.stringify(events).length) });
  expectProblem(answer, 'too_many_requests', 429);
  expect(answer.headers['retry-after']).toBe('1');
  expect((await first.ask('GET', '/rules')).status).toBe(200);
  expect((await other.ask('POST', '/events', events)).status).toBe(202);
  for (const socket of sockets.splice(0)) socket.destroy();
  await vi.waitFor(async () => expect((await first.ask('POST', '/events', events)).status).toBe(202));
});

test('bodies of all tenants together have a bound', async () => {
  for (const tenant of tenants.slice(0, 4)) await begin(tenant, AT_ONCE.ofOneTenant, `Content-Length: ${LARGEST}`);
  const last = tenants[4] as Actor;
  await vi.waitFor(async () => expectProblem(await last.ask('POST', '/events', events), 'unavailable', 503));
  expect((await last.ask('GET', '/rules')).status).toBe(200);
  for (const socket of sockets.splice(0)) socket.destroy();
  await vi.waitFor(async () => expect((await last.ask('POST', '/events', events)).status).toBe(202));
});
