import { AppError } from '../app-error.ts';

interface Bounds {
  atOnce: number;
  waiting: number;
}

interface Line {
  /** Works when its turn comes. Rejects at once with a 429 when the line is full. */
  through: <Result>(work: () => Promise<Result>) => Promise<Result>;
}

const RETRY_AFTER_MS = 1_000;

export function openLine({ atOnce, waiting }: Bounds): Line {
  let running = 0;
  const turns: (() => void)[] = [];
  return {
    async through(work) {
      if (running === atOnce) {
        if (turns.length >= waiting) {
          throw new AppError('too_many_requests', 'Too many API keys that are not known are being tried.', {
            retryAfterMs: RETRY_AFTER_MS,
          });
        }
        await new Promise<void>((turn) => turns.push(turn));
      } else running += 1;
      try {
        return await work();
      } finally {
        const next = turns.shift();
        if (next === undefined) running -= 1;
        else next();
      }
    },
  };
}
