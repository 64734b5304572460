import { setTimeout as sleep } from 'node:timers/promises';
import type { Logger } from './logger.ts';

export interface ShutdownStack {
  /** Remember how to end something just started. What was started last ends first. */
  defer: (name: string, end: () => void | Promise<void>) => void;
  /** Ends everything, one by one, each however the others fared; never rejects. False when the deadline passed or an end failed. */
  run: (deadlineMs: number) => Promise<boolean>;
}

export function shutdownStack(logger: Logger): ShutdownStack {
  const entries: { name: string; end: () => void | Promise<void> }[] = [];
  let running: Promise<boolean> | null = null;

  const unwind = async (deadlineMs: number): Promise<boolean> => {
    const untilMs = performance.now() + deadlineMs;
    let clean = true;
    for (let entry = entries.pop(); entry !== undefined; entry = entries.pop()) {
      const { name, end } = entry;
      const leftMs = Math.max(0, untilMs - performance.now());
      const timer = new AbortController();
      const startedMs = performance.now();
      try {
        const ended = Promise.resolve(end()).then(() => true);
        // Past the deadline each of the rest still gets one moment: closing a socket needs no more.
        const late = sleep(Math.max(leftMs, 50), false, { signal: timer.signal }).catch(() => true);
        const inTime = await Promise.race([ended, late]);
        if (!inTime) ended.catch((error: unknown) => logger.debug({ step: name, err: error }, 'ended with an error after the deadline'));
        if (!inTime) logger.warn({ step: name }, 'did not end in time');
        else logger.debug({ step: name, ms: Math.round(performance.now() - startedMs) }, 'ended');
        clean &&= inTime;
      } catch (error) {
        logger.error({ step: name, err: error }, 'ended with an error');
        clean = false;
      } finally {
        timer.abort();
      }
    }
    return clean;
  };

  return {
    defer: (name, end) => {
      entries.push({ name, end });
    },
    run: (deadlineMs) => (running ??= unwind(deadlineMs)),
  };
}
