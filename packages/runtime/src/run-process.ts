import { z } from 'zod';
import { CannotStart } from './cannot-start.ts';
import { loadConfig } from './config/load-config.ts';
import { unreadVariables } from './config/unread-variables.ts';
import { logLevel } from './config/variables.ts';
import { forPeople } from './log-for-people.ts';
import { type Logger, createLogger } from './logger.ts';
import { type ShutdownStack, shutdownStack } from './shutdown-stack.ts';

export interface ProcessContext<Config> {
  config: Config;
  logger: Logger;
  /** What main starts it defers here; signals and failures unwind it. */
  stack: ShutdownStack;
  /** Aborts when the process has been told to stop, before the stack is unwound. */
  signal: AbortSignal;
}

/** Longer than any drain inside, shorter than the 30 s after which orchestrators kill. */
const SHUTDOWN_MS = 25_000;
/** One Ctrl-C can arrive several times over: from the terminal, and passed on by npm. Only a later one is impatience. */
const SAME_SIGNAL_MS = 1_000;

/**
 * A process from its environment to its end. Exit codes: 0 stopped by a signal or by `finished`, 1 a bad variable
 * or another `CannotStart` (told on stderr), a failed boot, an uncaught error or an unclean stop, 130 a second signal.
 */
export async function runProcess<Shape extends z.ZodRawShape>(
  name: string,
  schema: z.ZodObject<Shape>,
  main: (context: ProcessContext<z.infer<z.ZodObject<Shape>>>) => Promise<void | 'finished'>,
): Promise<void> {
  for (const line of unreadVariables(process.env)) tell(line);
  const config = configOrExit(schema);
  const { logLevel: level } = loadConfig(z.object({ logLevel }), process.env);
  const logger = createLogger(name, level, process.stdout.isTTY ? forPeople(process.stdout) : undefined);
  const stack = shutdownStack(logger);
  const stopping = new AbortController();
  let stoppingSinceMs = 0;

  const stop = async (reason: string, code: number): Promise<void> => {
    if (stopping.signal.aborted) return;
    stoppingSinceMs = performance.now();
    logger.info({ reason }, 'stopping');
    stopping.abort(reason);
    const clean = await stack.run(SHUTDOWN_MS);
    logger.info({ clean }, 'stopped');
    process.exit(clean ? code : 1);
  };
  const onSignal = (signal: NodeJS.Signals): void => {
    if (stopping.signal.aborted && performance.now() - stoppingSinceMs > SAME_SIGNAL_MS) process.exit(130);
    void stop(signal, 0);
  };
  const onCrash = (error: unknown): void => {
    logger.fatal({ err: error }, 'uncaught error');
    void stop('uncaught error', 1);
  };
  process
    .on('SIGTERM', onSignal)
    .on('SIGINT', onSignal)
    .on('SIGHUP', onSignal)
    .on('uncaughtException', onCrash)
    .on('unhandledRejection', onCrash);

  try {
    const outcome = await main({ config, logger, stack, signal: stopping.signal });
    if (outcome === 'finished') await stop('finished', 0);
  } catch (error) {
    if (!stopping.signal.aborted && error instanceof CannotStart) tell(error.message);
    else if (!stopping.signal.aborted) logger.fatal({ err: error }, 'could not start');
    await stop('could not start', 1);
  }
}

function configOrExit<Shape extends z.ZodRawShape>(schema: z.ZodObject<Shape>): z.infer<z.ZodObject<Shape>> {
  try {
    loadConfig(z.object({ logLevel }), process.env);
    return loadConfig(schema, process.env);
  } catch (error) {
    if (!(error instanceof CannotStart)) throw error;
    tell(error.message);
    process.exit(1);
  }
}

const tell = (message: string): void => void process.stderr.write(`${message}\n`);
