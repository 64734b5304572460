import { type SpawnOptions, spawn } from 'node:child_process';
import { atEnd } from './at-end.ts';

export interface Started {
  pid: number;
  /** The end of what it has written. */
  output: () => string;
  /** Resolves with the exit code, or null after a signal. */
  exited: Promise<number | null>;
  stop: () => Promise<void>;
}

const STOP_MS = 15_000;

/** A process that ends when this one does. The caller stops it. `detached`: a group of its own, which stops as by a Ctrl-C. */
export function startProcess(
  command: string,
  args: readonly string[],
  options: Pick<SpawnOptions, 'cwd' | 'env' | 'detached'> = {},
): Started {
  const child = spawn(command, args, { ...options, stdio: ['ignore', 'pipe', 'pipe'] });
  const pid = child.pid;
  if (pid === undefined) throw new Error(`${command} cannot be started`);
  let text = '';
  const append = (chunk: Buffer): void => void (text = (text + chunk.toString()).slice(-10_000));
  child.stdout.on('data', append);
  child.stderr.on('data', append);
  const exited = new Promise<number | null>((resolve) => child.once('exit', resolve));
  const send = (signal: NodeJS.Signals): void => {
    if (child.exitCode === null && child.signalCode === null) process.kill(options.detached === true ? -pid : pid, signal);
  };
  const stop = atEnd(async () => {
    send(options.detached === true ? 'SIGINT' : 'SIGTERM');
    const late = setTimeout(() => send('SIGKILL'), STOP_MS);
    await exited;
    clearTimeout(late);
  });
  return { pid, output: () => text, exited, stop };
}
