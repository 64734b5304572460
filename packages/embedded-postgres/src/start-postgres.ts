import { realpathSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { installedBinaries } from './binaries.ts';
import { lock, tryLock } from './file-lock.ts';
import { joinOrLaunch, type JoinOptions, superuserUrl } from './join-or-launch.ts';
import { lastWords } from './launch.ts';
import { discardCluster, ensureCluster } from './make-cluster.ts';
import { clusterIn, placeFiles, type Place } from './place-files.ts';
import { runningServer, servesCluster } from './server-lock.ts';

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
  readonly pid: number;
  /** An earlier start's server was still running on these files and is used on. */
  reused: boolean;
  dir: string;
  /** What a person who starts it should be told: which user runs it, where its files went. */
  notes: readonly string[];
  isRunning: () => boolean;
  /** The end of its log: why it ended, where it did. */
  lastWords: () => string;
  /** Starts a server that has ended once more, for the same URL. @throws when it does not start. */
  relaunch: () => Promise<void>;
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
      const password = await ensureCluster(place, log);
      const common = { password, settings: options.settings ?? {}, timeoutMs: START_TIMEOUT_MS, log };
      const { record, reused } = await joinOrLaunch(place, { ...common, preferredPort: options.port ?? PREFERRED_PORT });
      let { pid } = record;
      let left: Promise<void> | undefined;
      const end = (discards: boolean): Promise<void> => (left ??= leave(place, using.release, discards));
      return {
        url: superuserUrl(record.port, password),
        port: record.port,
        get pid() {
          return pid;
        },
        reused,
        dir: place.dir,
        notes: place.notes,
        isRunning: () => runningServer(realpathSync(clusterIn(place.dir))) !== null,
        lastWords: () => lastWords(place.dir),
        relaunch: async () => {
          pid = await relaunch(place, { ...common, preferredPort: record.port });
        },
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

/** The new server's pid. */
async function relaunch(place: Place, options: JoinOptions): Promise<number> {
  const starting = await lock(join(place.dir, 'start.lock'), 'exclusive', START_TIMEOUT_MS);
  try {
    const { record } = await joinOrLaunch(place, options);
    if (record.port === options.preferredPort) return record.pid;
    await stopServer(realpathSync(clusterIn(place.dir)));
    throw new Error(`another program has taken port ${options.preferredPort} since PostgreSQL ended`);
  } finally {
    starting.release();
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
  for (const [signal, waitMs] of [
    ['SIGINT', FAST_STOP_MS],
    ['SIGQUIT', 1_000],
    ['SIGKILL', 1_000],
  ] as const) {
    process.kill(pid, signal);
    const deadline = performance.now() + waitMs;
    while (performance.now() < deadline) {
      if (!servesCluster(pid, cluster)) return;
      await sleep(10);
    }
  }
}
