import { DatabaseSync } from 'node:sqlite';
import { setTimeout as sleep } from 'node:timers/promises';

/** A lock the kernel holds for this process: however the process ends, `kill -9` included, the lock ends with it. */
export interface FileLock {
  release: () => void;
}

/**
 * Node has no `flock`; SQLite's own file locks are the same thing, portable and free of stale pids.
 * `shared` locks stand beside each other, an `exclusive` one stands alone. Null when it cannot be had now.
 */
export function tryLock(path: string, mode: 'shared' | 'exclusive'): FileLock | null {
  const file = new DatabaseSync(path);
  try {
    file.exec(mode === 'exclusive' ? 'BEGIN EXCLUSIVE' : 'BEGIN; SELECT count(*) FROM sqlite_master');
    return { release: () => file.close() };
  } catch (error) {
    file.close();
    if (error instanceof Error && 'errcode' in error && error.errcode === SQLITE_BUSY) return null;
    throw error;
  }
}

/** @throws when the lock is still taken after `timeoutMs`. */
export async function lock(path: string, mode: 'shared' | 'exclusive', timeoutMs: number): Promise<FileLock> {
  const deadline = performance.now() + timeoutMs;
  for (;;) {
    const held = tryLock(path, mode);
    if (held !== null) return held;
    if (performance.now() > deadline) throw new Error(`another process has held ${path} for ${timeoutMs / 1000} s`);
    await sleep(50);
  }
}

const SQLITE_BUSY = 5;
