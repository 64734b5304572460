import { once } from 'node:events';
import { createServer, type AddressInfo } from 'node:net';

/** The preferred loopback port where nobody listens on it, else any free one. */
export async function freePort(preferred: number): Promise<number> {
  return (await probe(preferred)) ?? (await probe(0)) ?? Promise.reject(new Error('no free port on 127.0.0.1'));
}

async function probe(port: number): Promise<number | null> {
  const server = createServer();
  try {
    server.listen({ port, host: '127.0.0.1', exclusive: true });
    await once(server, 'listening');
    return (server.address() as AddressInfo).port;
  } catch {
    return null;
  } finally {
    server.close();
  }
}
