import { once } from 'node:events';
import { type IncomingHttpHeaders, type IncomingMessage, type ServerResponse, createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';

export interface Received {
  method: string;
  path: string;
  headers: IncomingHttpHeaders;
  /** Byte for byte, for signatures. */
  body: string;
  receivedAtMs: number;
}

export interface Answer {
  status?: number;
  headers?: Record<string, string>;
  body?: string;
  /** Answers this much later. */
  delayMs?: number;
  /** Hangs up without an answer: the request arrived, the sender cannot know. */
  hangUp?: boolean;
}

export interface WebhookReceiver {
  url: string;
  /** Everything received, in order of arrival. */
  requests: readonly Received[];
  /** How to answer from now on; `index` counts requests from 0. Without it: 200. */
  respondWith: (answer: (request: Received, index: number) => Answer | Promise<Answer>) => void;
  /** The next request that no `next` has returned yet; rejects after `timeoutMs` (default 10 s). */
  next: (timeoutMs?: number) => Promise<Received>;
  close: () => Promise<void>;
}

/** A real HTTP server on a free loopback port that records what it is sent. */
export async function webhookReceiver(): Promise<WebhookReceiver> {
  const requests: Received[] = [];
  const waiting: ((request: Received) => void)[] = [];
  let taken = 0;
  let answerTo: (request: Received, index: number) => Answer | Promise<Answer> = () => ({ status: 200 });

  const receive = async (incoming: IncomingMessage, response: ServerResponse): Promise<void> => {
    const chunks: Buffer[] = [];
    for await (const chunk of incoming as AsyncIterable<Buffer>) chunks.push(chunk);
    const { method = 'GET', url: path = '/', headers } = incoming;
    const request = { method, path, headers, body: Buffer.concat(chunks).toString('utf8'), receivedAtMs: Date.now() };
    const index = requests.push(request) - 1;
    const waiter = waiting.shift();
    if (waiter !== undefined) {
      taken += 1;
      waiter(request);
    }
    const { status = 200, headers: answerHeaders = {}, body = '', delayMs = 0, hangUp = false } = await answerTo(request, index);
    if (delayMs > 0) await sleep(delayMs);
    if (hangUp) {
      incoming.socket.destroy();
      return;
    }
    response.writeHead(status, answerHeaders).end(body);
  };

  const server = createServer((incoming, response) => {
    receive(incoming, response).catch(() => response.destroy());
  }).listen(0, '127.0.0.1');
  await once(server, 'listening');

  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    requests,
    respondWith: (answer) => {
      answerTo = answer;
    },
    next: (timeoutMs = 10_000) => {
      const ready = requests[taken];
      if (ready !== undefined) {
        taken += 1;
        return Promise.resolve(ready);
      }
      return new Promise((resolve, reject) => {
        const waiter = (request: Received): void => {
          clearTimeout(timer);
          resolve(request);
        };
        const timer = setTimeout(() => {
          waiting.splice(waiting.indexOf(waiter), 1);
          reject(new Error(`no request within ${timeoutMs} ms; ${requests.length} before`));
        }, timeoutMs);
        waiting.push(waiter);
      });
    },
    close: async () => {
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
    },
  };
}
