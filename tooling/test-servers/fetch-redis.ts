import { execFileSync } from 'node:child_process';
import { existsSync, globSync, mkdirSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';

/** What `redis-server` links to and a slim image may lack. */
const LIBRARIES =
  /^(libjemalloc\d|liblzf\d|liblua5\.1-0|lua-cjson|lua-bitop|libhiredis[\d.]+|libatomic1|libssl\d\w*|libstdc\+\+6|libsystemd0)$/;

/**
 * Takes Redis from Debian's or Ubuntu's packages into `cacheDir`, without root and without installing anything: apt
 * checks the signatures as always, but keeps its lists and files in that folder. The path of the program; null where there
 * is no apt, or no network.
 */
export function fetchRedis(cacheDir: string, log: (line: string) => void): string | null {
  const root = join(cacheDir, 'root');
  const program = join(root, 'redis-server');
  if (!existsSync(program)) {
    log('No redis-server on this machine; fetching one from the packages of this distribution …');
    try {
      unpackRedis(cacheDir, root);
    } catch (error) {
      log(`Could not fetch it: ${error instanceof Error ? error.message.split('\n')[0] : String(error)}`);
      return null;
    }
  }
  return program;
}

function unpackRedis(cacheDir: string, root: string): void {
  rmSync(cacheDir, { recursive: true, force: true });
  const dir = (name: string): string => {
    mkdirSync(join(cacheDir, name), { recursive: true });
    return join(cacheDir, name);
  };
  dir('lists/partial');
  dir('cache/archives/partial');
  const options = [
    `Dir::State::lists=${join(cacheDir, 'lists')}`,
    `Dir::Cache=${join(cacheDir, 'cache')}`,
    'Debug::NoLocking=1',
    'APT::Sandbox::User=',
  ];
  const apt = (program: string, ...args: string[]): string =>
    execFileSync(program, [...options.flatMap((option) => ['-o', option]), '-qq', ...args], {
      cwd: dir('debs'),
      encoding: 'utf8',
      stdio: ['ignore', 'pipe', 'pipe'],
      timeout: 120_000,
    });
  apt('apt-get', 'update');
  const kinds = ['recommends', 'suggests', 'conflicts', 'breaks', 'replaces', 'enhances'].map((kind) => `--no-${kind}`);
  const depends = apt('apt-cache', 'depends', '--recurse', ...kinds, 'redis-tools').split('\n');
  apt('apt-get', 'download', 'redis-server', 'redis-tools', ...new Set(depends.filter((name) => LIBRARIES.test(name))));
  for (const file of globSync('*.deb', { cwd: dir('debs') })) execFileSync('dpkg-deb', ['-x', join(dir('debs'), file), dir('unpacked')]);
  writeFileSync(join(dir('unpacked'), 'redis-server'), startWithLibraries(dir('unpacked')), { mode: 0o755 });
  rmSync(root, { recursive: true, force: true });
  renameSync(dir('unpacked'), root);
  for (const name of ['lists', 'cache', 'debs']) rmSync(join(cacheDir, name), { recursive: true });
}

/** The unpacked program under its own libraries, wherever the checkout is. */
function startWithLibraries(root: string): string {
  const dirs = new Set(globSync('**/*.so*', { cwd: root }).map((file) => `$here/${dirname(file)}`));
  return `#!/bin/sh\nhere=$(dirname "$(readlink -f "$0")")\nLD_LIBRARY_PATH="${[...dirs].join(':')}" exec "$here/usr/bin/redis-server" "$@"\n`;
}
