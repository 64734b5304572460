import { realpathSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import postgres from 'postgres';
import { installedBinaries } from './binaries.ts';
import { lock, tryLock } from './file-lock.ts';
import { freePort } from './free-port.ts';
import { launch } from './launch.ts';
import { discardCluster, ensureCluster, SUPERUSER } from './make-cluster.ts';
import { clusterIn, placeFiles, type Place } from './place-files.ts';
import { disownServerRecord, readServerRecord, runningServer, servesCluster, type ServerRecord } from './server-lock.ts';

export interface StartOptions {
  /** A folder for this server alone. Where root's unprivileged user cannot reach it, `dir` of the result tells the place used instead. */
  dataDir: string;
  /** Taken where it is free, else any other. */
  port?: number;
  /** Server settings over the launcher's own, which are tuned for little memory. */
  settings?: Readonly<Record<string, string>>;
  log?: (line: string) => void;
}

export interface PostgresServer {
  /** Of the superuser. */
  url: string;
  port: number;
  pid: number;
  /** An earlier start's server was still running on these files and is used on. */
  reused: boolean;
  dir: string;
  /** What a person who starts it should be told: which user runs it, where its files went. */
  notes: readonly string[];
  /** Stops the server, unless another process that started it too still uses it. */
  stop: () => Promise<void>;
  /** `stop` that also deletes the database. */
  discard: () => Promise<void>;
}

const PREFERRED_PORT = 54329;
/** Crash recovery of a large database may take its time. */
const START_TIMEOUT_MS = 60_000;
/** A fast shutdown that takes longer is made an immediate one, which the next start recovers from. */
const FAST_STOP_MS = 5_000;

/** Starts the server on these files, or joins the one that already runs on them: an orphan, or another process's. */
export async function startPostgres(options: StartOptions): Promise<PostgresServer> {
  const log = options.log ?? (() => {});
  const place = placeFiles(options.dataDir, installedBinaries());
  const starting = await lock(join(place.dir, 'start.lock'), 'exclusive', START_TIMEOUT_MS);
  try {
    const using = await lock(join(place.dir, 'use.lock'), 'shared', START_TIMEOUT_MS);
    try {
      const password = ensureCluster(place, log);
      const { record, reused } = await joinOrLaunch(place, password, options, log);
      let left: Promise<void> | undefined;
      const end = (discards: boolean): Promise<void> => (left ??= leave(place, using.release, discards));
      return {
        url: superuserUrl(record.port, password),
        port: record.port,
        pid: record.pid,
        reused,
        dir: place.dir,
        notes: place.notes,
        stop: () => end(false),
        discard: () => end(true),
      };
    } catch (error) {
      using.release();
      throw error;
    }
  } finally {
    starting.release();
  }
}

async function joinOrLaunch(
  place: Place,
  password: string,
  options: StartOptions,
  log: (line: string) => void,
): Promise<{ record: ServerRecord; reused: boolean }> {
  const cluster = realpathSync(clusterIn(place.dir));
  const deadline = performance.now() + START_TIMEOUT_MS;
  for (;;) {
    if (runningServer(cluster) !== null) {
      log('a server already runs on this database; using it');
      const record = await untilReady(cluster, deadline, () => runningServer(cluster) !== null);
      if (record !== null) return { record: await untilAnswers(record, password, deadline), reused: true };
    }
    disownServerRecord(cluster);
    const port = await freePort(options.port ?? PREFERRED_PORT);
    const server = await launch(place, cluster, port, options.settings ?? {});
    const record = await untilReady(cluster, deadline, () => !server.hasEnded(), server.pid);
    if (record !== null) return { record: await untilAnswers(record, password, deadline), reused: false };
    const said = server.lastWords();
    // Lost races with somebody else's port, or with the last backends of a server that was killed: they pass.
    if (!/lock file|could not bind|could not create any TCP|shared memory block/.test(said) || performance.now() > deadline) {
      throw new Error(`PostgreSQL did not start: ${said}`);
    }
    await sleep(200);
  }
}

/** Null when the server died before it was ready. @throws when it is still not ready at the deadline. */
async function untilReady(cluster: string, deadline: number, isAlive: () => boolean, pid?: number): Promise<ServerRecord | null> {
  for (;;) {
    const record = readServerRecord(cluster);
    if (record?.isReady && record.pid === (pid ?? record.pid)) return record;
    if (!isAlive()) return null;
    if (performance.now() > deadline) throw new Error(`PostgreSQL on ${cluster} was not ready within ${START_TIMEOUT_MS / 1000} s`);
    await sleep(20);
  }
}

async function untilAnswers(record: ServerRecord, password: string, deadline: number): Promise<ServerRecord> {
  for (;;) {
    const sql = postgres(superuserUrl(record.port, password), { max: 1, ssl: false, connect_timeout: 3, onnotice: () => {} });
    try {
      await sql`select 1`;
      return record;
    } catch (cause) {
      if (performance.now() > deadline) throw new Error(`PostgreSQL (process ${record.pid}) runs but does not answer`, { cause });
    } finally {
      await sql.end({ timeout: 1 });
    }
    await sleep(100);
  }
}

async function leave(place: Place, stopUsing: () => void, discards: boolean): Promise<void> {
  const stopping = await lock(join(place.dir, 'start.lock'), 'exclusive', START_TIMEOUT_MS);
  try {
    stopUsing();
    const alone = tryLock(join(place.dir, 'use.lock'), 'exclusive');
    if (alone === null) return;
    try {
      await stopServer(realpathSync(clusterIn(place.dir)));
      if (discards) discardCluster(place);
    } finally {
      alone.release();
    }
  } finally {
    stopping.release();
  }
}

async function stopServer(cluster: string): Promise<void> {
  const pid = runningServer(cluster)?.pid;
  if (pid === undefined) return;
  for (const [signal, waitMs] of [['SIGINT', FAST_STOP_MS], ['SIGQUIT', 1_000], ['SIGKILL', 1_000]] as const) {
    process.kill(pid, signal);
    const deadline = performance.now() + waitMs;
    while (performance.now() < deadline) {
      if (!servesCluster(pid, cluster)) return;
      await sleep(10);
    }
  }
}

const superuserUrl = (port: number, password: string): string => `postgres://${SUPERUSER}:${password}@127.0.0.1:${port}/postgres`;
