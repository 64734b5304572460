import { spawn } from 'node:child_process';
import { randomBytes, randomUUID } from 'node:crypto';
import { once } from 'node:events';
import { existsSync, globSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { text } from 'node:stream/consumers';
import { binary } from './binaries.ts';
import { clusterIn, type Place } from './place-files.ts';
import { giveTo, spawnIds } from './run-as.ts';

export const SUPERUSER = 'postgres';

/** The superuser's password of the cluster in this place, which is made first where there is none. */
export async function ensureCluster(place: Place, log: (line: string) => void): Promise<string> {
  const passwordFile = join(place.dir, 'password');
  if (!existsSync(clusterIn(place.dir))) {
    log('making a new database');
    await makeCluster(place, passwordFile);
  }
  try {
    return readFileSync(passwordFile, 'utf8').trim();
  } catch (cause) {
    throw new Error(
      existsSync(passwordFile)
        ? `cannot read ${passwordFile}, which opens the database beside it; start as the user it belongs to`
        : `${passwordFile}, which opens the database beside it, is gone: put it back from a backup, or start on another folder`,
      { cause },
    );
  }
}

/** The cluster appears by a rename, so one whose making was interrupted is never mistaken for a whole one. */
async function makeCluster(place: Place, passwordFile: string): Promise<void> {
  // The initdb of a killed start may still be writing to its folder while this one clears it away.
  for (const torn of globSync('cluster.*', { cwd: place.dir }))
    rmSync(join(place.dir, torn), { recursive: true, maxRetries: 20, retryDelay: 50 });
  rmSync(passwordFile, { force: true });
  writeFileSync(passwordFile, `${randomBytes(24).toString('base64url')}\n`, { mode: 0o600, flush: true });
  giveTo(place.user, passwordFile);

  const fresh = join(place.dir, `cluster.${randomUUID()}`);
  const settings = ['--encoding=UTF8', '--locale=C', '--locale-provider=builtin', '--builtin-locale=C.UTF-8', '--no-instructions'];
  const access = [`--username=${SUPERUSER}`, '--auth=scram-sha-256', `--pwfile=${passwordFile}`];
  // In a session of its own, where a Ctrl-C at the terminal does not cut it off while the launcher ends in order.
  const initdb = spawn(binary(place.binDir, 'initdb'), ['-D', fresh, ...access, ...settings], {
    ...spawnIds(place.user),
    cwd: '/',
    detached: true,
    stdio: ['ignore', 'ignore', 'pipe'],
  });
  const ended = once(initdb, 'close') as Promise<[number | null]>;
  const [[code], said] = await Promise.all([ended, text(initdb.stderr)]);
  if (code !== 0) throw new Error(`could not make the database in ${place.dir}: ${said.trim()}`);
  renameSync(fresh, clusterIn(place.dir));
}

/** Leaves the locks: another start may be waiting on them. */
export function discardCluster({ dir }: Place): void {
  for (const name of ['cluster', 'password', 'server.log', 'server.log.previous'])
    rmSync(join(dir, name), { recursive: true, force: true });
}
