import { spawn, type SpawnOptions } from 'node:child_process';
import { once } from 'node:events';

export interface BoundProcess {
  hasEnded: () => boolean;
  /** What it last wrote, for the message when it did not start. */
  lastWords: () => string;
  stop: () => Promise<void>;
}

/** Runs the command until it ends or our pipe to this shell does: with us, however we end. Background jobs get no stdin, hence fd 3. */
const UNTIL_WE_END = 'exec 3<&0; "$@" & server=$!; { cat <&3; kill $server; } > /dev/null 2>&1 & wait $server';

/** Starts a server that cannot outlive this process, `kill -9` included, and that a Ctrl-C at the terminal does not reach. */
export function spawnBound(
  command: string,
  args: readonly string[],
  options: Pick<SpawnOptions, 'uid' | 'gid' | 'env'> = {},
): BoundProcess {
  const child = spawn('/bin/sh', ['-c', UNTIL_WE_END, 'sh', command, ...args], {
    ...options,
    cwd: '/',
    detached: true,
    stdio: ['pipe', 'pipe', 'pipe'],
  });
  let said = '';
  for (const stream of [child.stdout, child.stderr]) {
    stream?.on('data', (chunk: Buffer) => (said = (said + chunk.toString()).slice(-2_000)));
  }
  const hasEnded = (): boolean => child.exitCode !== null || child.signalCode !== null;
  return {
    hasEnded,
    lastWords: () => said.trim(),
    stop: async () => {
      child.stdin?.end();
      if (!hasEnded()) await once(child, 'exit');
    },
  };
}
