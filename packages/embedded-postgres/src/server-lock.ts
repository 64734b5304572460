import { execFileSync } from 'node:child_process';
import { readFileSync, readlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';

/** What a running server writes about itself into `postmaster.pid`. */
export interface ServerRecord {
  pid: number;
  port: number;
  isReady: boolean;
}

/** Null when no server has left a record in this cluster, or it is still being written. */
export function readServerRecord(clusterDir: string): ServerRecord | null {
  const lines = readPidFile(clusterDir)?.split('\n') ?? [];
  const pid = Number(lines[0]);
  if (!Number.isInteger(pid) || pid <= 0) return null;
  return { pid, port: Number(lines[3] ?? 0), isReady: lines[7]?.trim() === 'ready' };
}

/** The server's own record where it is alive; a dead one's, a zombie's or a recycled pid's counts for nothing. */
export function runningServer(clusterDir: string): ServerRecord | null {
  const record = readServerRecord(clusterDir);
  return record !== null && servesCluster(record.pid, clusterDir) ? record : null;
}

/** Whether this pid is alive, no zombie, and a PostgreSQL server of this very cluster. */
export function servesCluster(pid: number, clusterDir: string): boolean {
  try {
    // A server's working directory is its cluster. A zombie has none, a stranger's cannot be read.
    if (process.platform === 'linux') return readlinkSync(`/proc/${pid}/cwd`) === clusterDir;
    const ps = execFileSync('ps', ['-o', 'stat=,command=', '-p', String(pid)], { encoding: 'utf8', stdio: ['ignore', 'pipe', 'ignore'] });
    return !ps.trimStart().startsWith('Z') && ps.includes(`-D ${clusterDir}`);
  } catch {
    return false;
  }
}

/**
 * Makes a record that names somebody else's process harmless. PostgreSQL ignores a record of its own parent, and
 * keeping the file keeps its shared memory key, by which the new server still notices surviving backends of the old.
 */
export function disownServerRecord(clusterDir: string): void {
  const text = readPidFile(clusterDir);
  if (text === null) return;
  writeFileSync(join(clusterDir, 'postmaster.pid'), text.replace(/^\d*/, String(process.pid)));
}

function readPidFile(clusterDir: string): string | null {
  try {
    return readFileSync(join(clusterDir, 'postmaster.pid'), 'utf8');
  } catch (error) {
    if (error instanceof Error && 'code' in error && error.code === 'ENOENT') return null;
    throw error;
  }
}
