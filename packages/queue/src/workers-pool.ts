import { setTimeout as sleep } from 'node:timers/promises';
import type pg from 'pg';

const RETRY_PAUSE_MS = 500;
const HEARTBEAT_MS = 5_000;

/**
 * The pool as BullMQ's workers see it, with two manners more. A worker asks again at once after most errors: a failed
 * query is answered only after a pause, so that a server that is starting or full is not hammered. And the connection a
 * worker holds to LISTEN is asked now and then whether it lives: one that died without a word would never be replaced.
 */
export function workersPool(pool: pg.Pool): pg.Pool {
  const heartbeats = new Map<object, NodeJS.Timeout>();
  pool.on('release', (_error, client) => {
    clearInterval(heartbeats.get(client));
    heartbeats.delete(client);
  });

  const query = async (text: string, values?: unknown[]): Promise<pg.QueryResult> => {
    try {
      return await pool.query(text, values);
    } catch (error) {
      await sleep(RETRY_PAUSE_MS);
      throw error;
    }
  };
  const connect = async (): Promise<pg.PoolClient> => {
    const client = await pool.connect();
    let asking = 0;
    const ask = async (text: string, values?: unknown[]): Promise<pg.QueryResult> => {
      asking += 1;
      try {
        return await client.query(text, values);
      } catch (error) {
        // BullMQ replaces a connection that reports an error; to the driver a query without an answer is none.
        if (error instanceof Error && error.message === 'Query read timeout' && heartbeats.has(client)) client.emit('error', error);
        throw error;
      } finally {
        asking -= 1;
      }
    };
    const beat = (): void => {
      if (asking === 0) ask('select 1').catch(() => undefined);
    };
    heartbeats.set(client, setInterval(beat, HEARTBEAT_MS).unref());
    return withMethods(client, { query: ask });
  };
  return withMethods(pool, { query, connect });
}

function withMethods<T extends object>(target: T, methods: Readonly<Record<string, unknown>>): T {
  return new Proxy(target, {
    get(_target, key) {
      if (typeof key === 'string' && Object.hasOwn(methods, key)) return methods[key];
      const value: unknown = Reflect.get(target, key, target);
      return typeof value === 'function' ? value.bind(target) : value;
    },
  });
}
