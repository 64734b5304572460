import { once } from 'node:events';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';

export interface TimedReceiver {
  url: string;
  /** Everything received, with `performance.now()` of the whole request. */
  received: { body: string; atMs: number }[];
  close: () => Promise<void>;
}

/** Answers 204 to everything and says when it came. */
export async function timedReceiver(): Promise<TimedReceiver> {
  const received: TimedReceiver['received'] = [];
  const server = createServer((request, response) => {
    let body = '';
    request.setEncoding('utf8');
    request.on('data', (chunk: string) => (body += chunk));
    request.on('end', () => {
      received.push({ body, atMs: performance.now() });
      response.writeHead(204).end();
    });
  }).listen(0, '127.0.0.1');
  await once(server, 'listening');
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    received,
    close: async () => {
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
    },
  };
}
