import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { closeSync, existsSync, openSync, readFileSync, renameSync } from 'node:fs';
import { join } from 'node:path';
import { binary } from './binaries.ts';
import type { Place } from './place-files.ts';
import { spawnIds } from './run-as.ts';

export interface LaunchedServer {
  pid: number;
  hasEnded: () => boolean;
  /** The end of its log, for the message when it did not start. */
  lastWords: () => string;
}

/** One machine, one user at a keyboard: little idle memory and few processes count for more than throughput. */
const SETTINGS: Readonly<Record<string, string>> = {
  listen_addresses: '127.0.0.1',
  unix_socket_directories: '',
  max_connections: '120',
  shared_buffers: '64MB',
  io_method: 'sync',
  max_worker_processes: '2',
  max_parallel_workers_per_gather: '0',
  max_logical_replication_workers: '0',
  max_wal_senders: '0',
  wal_level: 'minimal',
  autovacuum_max_workers: '2',
  autovacuum_worker_slots: '4',
  jit: 'off',
  timezone: 'UTC',
  log_timezone: 'UTC',
  log_checkpoints: 'off',
};

/**
 * In a session of its own: a Ctrl-C at the terminal reaches the launcher alone, which stops its clients first.
 * The log is a file, not a pipe, so that a server whose launcher was killed can go on writing it.
 * @throws when the server cannot be executed at all.
 */
export async function launch(
  place: Place,
  cluster: string,
  port: number,
  settings: Readonly<Record<string, string>>,
): Promise<LaunchedServer> {
  const logFile = logIn(place.dir);
  if (existsSync(logFile)) renameSync(logFile, `${logFile}.previous`);
  const log = openSync(logFile, 'w', 0o600);
  const flags = Object.entries({ ...SETTINGS, ...settings, port: String(port) }).flatMap(([name, value]) => ['-c', `${name}=${value}`]);
  const child = spawn(binary(place.binDir, 'postgres'), ['-D', cluster, ...flags], {
    ...spawnIds(place.user),
    cwd: '/',
    detached: true,
    stdio: ['ignore', log, log],
  });
  closeSync(log);
  await once(child, 'spawn');
  child.unref();
  return {
    pid: child.pid ?? Number.NaN,
    hasEnded: () => child.exitCode !== null || child.signalCode !== null,
    lastWords: () => lastWords(place.dir),
  };
}

const logIn = (dir: string): string => join(dir, 'server.log');

/** The end of the log of the server in this place, or nothing where it has none. */
export function lastWords(dir: string): string {
  return existsSync(logIn(dir)) ? readFileSync(logIn(dir), 'utf8').slice(-2_000).trim() : '';
}
