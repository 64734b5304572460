import type { Clock } from '@tocsin/domain';
import type { PostgresServer } from '@tocsin/embedded-postgres';
import { statfs } from 'node:fs/promises';
import { saysDiskIsFull } from './in-words.ts';

export interface KeepOptions {
  clock: Clock;
  /** Ends the watch. */
  signal: AbortSignal;
  say: (line: string) => void;
  freeBytes?: (dir: string) => Promise<number>;
}

type Server = Pick<PostgresServer, 'dir' | 'isRunning' | 'lastWords' | 'relaunch'>;

const CHECK_MS = 2_000;
/** What a server needs to recover and go on: a few of its 16 MiB log segments. */
const ENOUGH_BYTES = 64 * 1_024 * 1_024;

/**
 * Watches over the server until told to stop. One that a full disk has ended is started again when there is space: until then
 * callers are told 503, and what was accepted is on that disk. Of any other end nobody knows whether it passes.
 * @throws when the server has ended otherwise.
 */
export async function keepPostgres(server: Server, { clock, signal, say, freeBytes = freeBytesOf }: KeepOptions): Promise<void> {
  let isTold = false;
  for (;;) {
    await clock.sleep(CHECK_MS, signal);
    if (signal.aborted) return;
    if (server.isRunning()) continue;
    if (!saysDiskIsFull(server.lastWords())) throw new Error('PostgreSQL has ended; start again and it recovers');
    if (!isTold)
      say(`the disk that holds ${server.dir} is full and PostgreSQL has stopped; what was accepted is there. Waiting for 64 MB …`);
    isTold = true;
    if ((await freeBytes(server.dir)) < ENOUGH_BYTES) continue;
    try {
      await server.relaunch();
    } catch (error) {
      if (saysDiskIsFull(server.lastWords())) continue;
      throw error;
    }
    isTold = false;
    say('there is space again, and PostgreSQL runs');
  }
}

async function freeBytesOf(dir: string): Promise<number> {
  const { bavail, bsize } = await statfs(dir);
  return bavail * bsize;
}
