import { realpathSync } from 'node:fs';
import { setTimeout as sleep } from 'node:timers/promises';
import postgres from 'postgres';
import { freePort } from './free-port.ts';
import { launch } from './launch.ts';
import { SUPERUSER } from './make-cluster.ts';
import { clusterIn, type Place } from './place-files.ts';
import { disownServerRecord, readServerRecord, runningServer, type ServerRecord } from './server-lock.ts';

/** What passes by itself: somebody was quicker to the port, or the last backends of a killed server are still leaving. */
const PASSING = /lock file|could not bind|could not create any TCP|shared memory block/;

export interface JoinOptions {
  password: string;
  preferredPort: number;
  settings: Readonly<Record<string, string>>;
  timeoutMs: number;
  log: (line: string) => void;
}

/** The server that already runs on this cluster, else a new one, once it answers. @throws when neither does in time. */
export async function joinOrLaunch(place: Place, options: JoinOptions): Promise<{ record: ServerRecord; reused: boolean }> {
  const cluster = realpathSync(clusterIn(place.dir));
  const deadline = performance.now() + options.timeoutMs;
  for (;;) {
    const running = runningServer(cluster);
    if (running !== null) {
      options.log('a server already runs on this database; using it');
      const isAlive = (): boolean => runningServer(cluster)?.pid === running.pid;
      const record = await untilItAnswers(cluster, running.pid, isAlive, options.password, deadline);
      if (record !== null) return { record, reused: true };
    }
    disownServerRecord(cluster);
    const server = await launch(place, cluster, await freePort(options.preferredPort), options.settings);
    const record = await untilItAnswers(cluster, server.pid, () => !server.hasEnded(), options.password, deadline);
    if (record !== null) return { record, reused: false };
    if (!PASSING.test(server.lastWords()) || performance.now() > deadline) {
      throw new Error(`PostgreSQL did not start: ${server.lastWords()}`);
    }
    await sleep(200);
  }
}

/** Null when the server died meanwhile. @throws when it lives but does not answer by the deadline. */
async function untilItAnswers(
  cluster: string,
  pid: number,
  isAlive: () => boolean,
  password: string,
  deadline: number,
): Promise<ServerRecord | null> {
  while (isAlive()) {
    const record = readServerRecord(cluster);
    if (record?.isReady && record.pid === pid && (await answers(superuserUrl(record.port, password)))) return record;
    if (performance.now() > deadline) throw new Error(`PostgreSQL (process ${pid}) runs on ${cluster} but does not answer`);
    await sleep(20);
  }
  return null;
}

async function answers(url: string): Promise<boolean> {
  const sql = postgres(url, { max: 1, ssl: false, connect_timeout: 3, onnotice: () => {} });
  const isUp = await sql`select 1`.then(
    () => true,
    () => false,
  );
  await sql.end({ timeout: 1 });
  return isUp;
}

export const superuserUrl = (port: number, password: string): string => `postgres://${SUPERUSER}:${password}@127.0.0.1:${port}/postgres`;
