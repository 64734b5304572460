import { once } from 'node:events';
import { type AddressInfo, type Socket, connect, createServer } from 'node:net';

export interface TcpProxy {
  port: number;
  /** The given URL with this proxy's host and port. */
  through: (url: string) => string;
  /** Resets every connection there is; new ones go through. */
  cut: () => void;
  /** Resets every connection and each new one, until `restore`: a server that is away. */
  block: () => void;
  /** Connections stay open and no byte passes, new ones included: a half-open line. Until `restore`. */
  freeze: () => void;
  /** The connections there are pass no byte any more, for ever; new ones go through. A server that moved without a word. */
  strand: () => void;
  /** Each chunk arrives this much later, both ways. */
  delay: (ms: number) => void;
  restore: () => void;
  /** Connections open through it now. */
  connections: () => number;
  close: () => Promise<void>;
}

/** Stands between a client and a server and does to their line what networks do. */
export async function tcpProxy(targetUrl: string): Promise<TcpProxy> {
  const target = new URL(targetUrl);
  const pairs = new Set<readonly [Socket, Socket]>();
  let mode: 'open' | 'blocked' | 'frozen' = 'open';
  let delayMs = 0;
  const stranded = new WeakSet<Socket>();

  const pass = (from: Socket, to: Socket): void => {
    from.on('data', (chunk) => {
      if (mode === 'frozen' || stranded.has(from)) return;
      if (delayMs > 0) setTimeout(() => to.writable && to.write(chunk), delayMs);
      else if (!to.write(chunk)) {
        from.pause();
        to.once('drain', () => from.resume());
      }
    });
  };
  const cut = (): void => {
    for (const [client, upstream] of pairs) {
      client.resetAndDestroy();
      upstream.destroy();
    }
  };

  const server = createServer((client) => {
    if (mode === 'blocked') {
      client.on('error', () => undefined).resetAndDestroy();
      return;
    }
    const upstream = connect({ host: target.hostname.replace(/^\[|\]$/g, ''), port: Number(target.port) });
    const pair = [client, upstream] as const;
    pairs.add(pair);
    for (const [socket, other] of [pair, [upstream, client] as const]) {
      socket.setNoDelay(true);
      socket.on('error', () => undefined);
      socket.on('close', () => {
        pairs.delete(pair);
        other.destroy();
      });
      pass(socket, other);
    }
  }).listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as AddressInfo;

  return {
    port,
    through: (url) => {
      const proxied = new URL(url);
      proxied.hostname = '127.0.0.1';
      proxied.port = String(port);
      return proxied.href;
    },
    cut,
    block: () => {
      mode = 'blocked';
      cut();
    },
    freeze: () => {
      mode = 'frozen';
    },
    strand: () => {
      for (const pair of pairs) for (const socket of pair) stranded.add(socket);
    },
    delay: (ms) => {
      delayMs = ms;
    },
    restore: () => {
      // What was swallowed while frozen is gone, so a frozen connection can only be cut.
      if (mode === 'frozen') cut();
      mode = 'open';
      delayMs = 0;
    },
    connections: () => pairs.size,
    close: async () => {
      const closed = once(server, 'close');
      server.close();
      cut();
      await closed;
    },
  };
}
