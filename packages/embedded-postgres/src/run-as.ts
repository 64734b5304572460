import { execFileSync, spawnSync } from 'node:child_process';
import { chownSync, statSync } from 'node:fs';

/** The unprivileged user a root process hands the server to: PostgreSQL refuses to run as uid 0. */
export interface ServerUser {
  name: string;
  uid: number;
  gid: number;
}

/**
 * Null when this process is not root: the server then runs as whoever started it.
 * A database that already belongs to somebody else stays theirs, since PostgreSQL insists on owning its files.
 * @throws when root finds no unprivileged user.
 */
export function serverUser(existingCluster: string | null): ServerUser | null {
  if (process.getuid?.() !== 0) return null;
  const owner = existingCluster === null ? undefined : statSync(existingCluster);
  if (owner !== undefined && owner.uid !== 0) return { name: nameOf(owner.uid), uid: owner.uid, gid: owner.gid };
  // A uid without a passwd entry would do for the server but not for initdb.
  const user = lookUp('postgres') ?? lookUp('nobody');
  if (user === null) throw new Error('PostgreSQL cannot run as root, and there is neither a user "postgres" nor "nobody" to run it as');
  return user;
}

function nameOf(uid: number): string {
  try {
    return execFileSync('id', ['-un', String(uid)], { encoding: 'utf8', stdio: ['ignore', 'pipe', 'ignore'] }).trim();
  } catch {
    return `uid ${uid}`;
  }
}

function lookUp(name: string): ServerUser | null {
  const id = (flag: string): number => Number(execFileSync('id', [flag, name], { stdio: ['ignore', 'pipe', 'ignore'] }));
  try {
    return { name, uid: id('-u'), gid: id('-g') };
  } catch {
    return null;
  }
}

/** `spawn` takes signed ids, and macOS numbers its nobody 4294967294. */
export const spawnIds = (user: ServerUser | null): { uid?: number; gid?: number } =>
  user === null ? {} : { uid: user.uid | 0, gid: user.gid | 0 };

export function giveTo(user: ServerUser | null, path: string): void {
  if (user !== null) chownSync(path, user.uid, user.gid);
}

/** Whether the user gets through every folder above `path` and into it, or may execute it where it is a file. */
export function canEnter(user: ServerUser, path: string): boolean {
  return spawnSync('/bin/sh', ['-c', 'test -x "$1"', 'sh', path], { ...spawnIds(user), cwd: '/', stdio: 'ignore' }).status === 0;
}
