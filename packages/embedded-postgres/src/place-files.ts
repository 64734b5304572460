import { randomUUID } from 'node:crypto';
import {
  accessSync,
  chmodSync,
  chownSync,
  constants,
  cpSync,
  existsSync,
  lstatSync,
  mkdirSync,
  readdirSync,
  readlinkSync,
  realpathSync,
  renameSync,
  rmSync,
  symlinkSync,
} from 'node:fs';
import { dirname, join, resolve } from 'node:path';
import { binary, type Binaries } from './binaries.ts';
import { canEnter, serverUser, type ServerUser } from './run-as.ts';

/** Where an unprivileged server user can always get to, when the user who owns the checkout is root. */
const SYSTEM_DIR = '/var/lib/tocsin';

/** Everything of one server: `dir` holds its cluster, password, locks and log. */
export interface Place {
  dir: string;
  binDir: string;
  user: ServerUser | null;
  notes: string[];
}

export const clusterIn = (dir: string): string => join(dir, 'cluster');

/** Settles who runs the server and where its files live, and makes the folder ready for that user. */
export function placeFiles(wantedDir: string, binaries: Binaries): Place {
  const wanted = resolve(wantedDir);
  const user = serverUser(existsSync(clusterIn(wanted)) ? clusterIn(wanted) : null);
  if (user === null) return { dir: ownDir(wanted), binDir: binaries.dir, user, notes: [] };

  mkdirSync(dirname(wanted), { recursive: true, mode: 0o755 });
  // A link is followed wherever it leads: the one to a place the user can reach moves, and goes, with the folder it is in.
  const isLink = lstatSync(wanted, { throwIfNoEntry: false })?.isSymbolicLink() ?? false;
  const canPass = isLink || canEnter(user, dirname(wanted));
  if (existsSync(clusterIn(wanted)) && !canPass) {
    throw new Error(`${user.name} cannot reach its database in ${wanted}: allow passage (chmod o+x) through the folders above it`);
  }
  const dir = canPass && !isLink ? wanted : linkedDir(wanted);
  if (!existsSync(dir)) mkdirSync(dir, { mode: 0o700 });
  chownSync(dir, user.uid, user.gid);

  const notes = [`PostgreSQL refuses to run as root, so it runs as ${user.name}`];
  if (dir !== wanted) notes.push(`${user.name} cannot reach ${wanted}, so that is a link to ${dir}, where the database lives`);
  const binDir = canEnter(user, binary(binaries.dir, 'postgres')) ? binaries.dir : stageBinaries(binaries);
  return { dir: realpathSync(dir), binDir, user, notes };
}

/** The folder the link leads to; where there is no link yet it leads to a new one the server's user can reach. */
function linkedDir(link: string): string {
  publicDir(SYSTEM_DIR);
  try {
    symlinkSync(join(SYSTEM_DIR, `postgres-${randomUUID()}`), link);
  } catch (error) {
    if (!(error instanceof Error && 'code' in error && error.code === 'EEXIST')) throw error;
  }
  return resolve(dirname(link), readlinkSync(link));
}

/** @throws when an earlier start, as another user, left a folder this one cannot use. */
function ownDir(dir: string): string {
  mkdirSync(dirname(dir), { recursive: true, mode: 0o755 });
  if (!existsSync(dir)) mkdirSync(dir, { mode: 0o700 });
  try {
    accessSync(dir, constants.R_OK | constants.W_OK | constants.X_OK);
  } catch (cause) {
    throw new Error(`${dir} belongs to another user: start as that user, or keep the data in another folder`, { cause });
  }
  return realpathSync(dir);
}

function publicDir(dir: string): void {
  mkdirSync(dir, { recursive: true });
  chmodSync(dir, 0o755);
}

/** Copies the server to where its user may execute it. Complete copies appear by a rename, so a torn one is never used. */
function stageBinaries({ dir, version }: Binaries): string {
  const staged = join(SYSTEM_DIR, `server-${version}`);
  if (existsSync(staged)) return staged;
  publicDir(SYSTEM_DIR);
  const copy = `${staged}.${randomUUID()}`;
  cpSync(dir, copy, { recursive: true, verbatimSymlinks: true });
  for (const path of [copy, ...readdirSync(copy, { recursive: true }).map((file) => join(copy, String(file)))]) {
    const stat = lstatSync(path);
    if (!stat.isSymbolicLink()) chmodSync(path, stat.isDirectory() || stat.mode & 0o100 ? 0o755 : 0o644);
  }
  try {
    renameSync(copy, staged);
  } catch (error) {
    rmSync(copy, { recursive: true });
    if (!existsSync(staged)) throw error;
  }
  return staged;
}
