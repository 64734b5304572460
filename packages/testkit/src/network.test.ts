import { once } from 'node:events';
import { type Socket, connect } from 'node:net';
import { afterEach, describe, expect, test, vi } from 'vitest';
import { type TcpProxy, tcpProxy } from './tcp-proxy.ts';
import { type WebhookReceiver, webhookReceiver } from './webhook-receiver.ts';

let receiver: WebhookReceiver;
let line: TcpProxy | undefined;
afterEach(async () => {
  await line?.close();
  await receiver.close();
});
const post = (url: string, body = 'hi'): Promise<Response> => fetch(url, { method: 'POST', body, signal: AbortSignal.timeout(300) });

describe('a webhook receiver', () => {
  test('keeps what it is sent, byte for byte and in order, and answers as told', async () => {
    receiver = await webhookReceiver();
    receiver.respondWith((_request, index) =>
      index === 0 ? { status: 429, headers: { 'retry-after': '3' }, body: 'slow down' } : { status: 204 },
    );
    const first = await post(`${receiver.url}/hook?x=1`, '{"a": "ü"}');
    expect([first.status, first.headers.get('retry-after'), await first.text()]).toEqual([429, '3', 'slow down']);
    expect((await post(receiver.url)).status).toBe(204);
    expect(receiver.requests.map(({ method, path, body }) => [method, path, body])).toEqual([
      ['POST', '/hook?x=1', '{"a": "ü"}'],
      ['POST', '/', 'hi'],
    ]);
  });

  test('hands out each request once, before or after it came, and says when none does', async () => {
    receiver = await webhookReceiver();
    const coming = receiver.next();
    await post(receiver.url, 'one');
    await post(receiver.url, 'two');
    expect([(await coming).body, (await receiver.next()).body]).toEqual(['one', 'two']);
    await expect(receiver.next(10)).rejects.toThrow('no request within 10 ms; 2 before');
  });

  test('can hang up after the request arrived', async () => {
    receiver = await webhookReceiver();
    receiver.respondWith(() => ({ hangUp: true }));
    await expect(post(receiver.url)).rejects.toThrow();
    expect(receiver.requests).toHaveLength(1);
  });
});

describe('a line that can be cut', () => {
  const start = async (): Promise<TcpProxy> => {
    receiver = await webhookReceiver();
    line = await tcpProxy(receiver.url);
    return line;
  };

  test('passes everything through', async () => {
    const { through } = await start();
    expect((await post(through(receiver.url))).status).toBe(200);
  });

  test('blocked, it refuses; frozen, it swallows; restored, it passes again', async () => {
    const proxy = await start();
    const url = proxy.through(receiver.url);
    proxy.block();
    await expect(post(url)).rejects.toThrow();
    proxy.freeze();
    await expect(post(url)).rejects.toThrow(/timeout/);
    expect(receiver.requests).toHaveLength(0);
    proxy.restore();
    expect((await post(url)).status).toBe(200);
  });

  test('cut, what is connected is reset; stranded, it stays connected and hears nothing', async () => {
    const proxy = await start();
    const dial = async (): Promise<Socket> => {
      const socket = connect(proxy.port, '127.0.0.1');
      await once(socket, 'connect');
      await vi.waitFor(() => expect(proxy.connections()).toBe(1));
      return socket;
    };
    const first = await dial();
    const reset = once(first, 'error');
    proxy.cut();
    expect((await reset)[0]).toMatchObject({ code: 'ECONNRESET' });
    await vi.waitFor(() => expect(proxy.connections()).toBe(0));

    const second = await dial();
    proxy.strand();
    second.write('POST / HTTP/1.1\r\nhost: x\r\ncontent-length: 0\r\n\r\n');
    expect((await post(proxy.through(receiver.url))).status).toBe(200);
    expect(receiver.requests).toHaveLength(1);
    expect(second.destroyed).toBe(false);
    second.destroy();
  });

  test('slow, it delays both ways', async () => {
    const proxy = await start();
    proxy.delay(60);
    const startedAt = performance.now();
    await post(proxy.through(receiver.url));
    expect(performance.now() - startedAt).toBeGreaterThanOrEqual(118);
  });
});
