import { closeSync, existsSync, fsyncSync, mkdirSync, openSync, readFileSync, renameSync, writeSync } from 'node:fs';
import { dirname } from 'node:path';

/** Writes JSON that only its owner may read. A crash leaves the old file or the new one, never half of one. */
export function writePrivateJson(path: string, content: unknown): void {
  // Others may look in, root's PostgreSQL has to, but nobody else may put another file in its place.
  mkdirSync(dirname(path), { recursive: true, mode: 0o755 });
  const fresh = `${path}.${process.pid}`;
  const file = openSync(fresh, 'w', 0o600);
  writeSync(file, `${JSON.stringify(content, null, 2)}\n`);
  fsyncSync(file);
  closeSync(file);
  renameSync(fresh, path);
}

/** Null when there is none. Throws when it is not JSON. */
export function readJson(path: string): unknown {
  return existsSync(path) ? JSON.parse(readFileSync(path, 'utf8')) : null;
}
