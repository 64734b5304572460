import type { Clock } from '@tocsin/domain';

export interface GatherOptions<Result> {
  clock: Clock;
  /** Items of one batch. */
  atMost: number;
  /** Batches under way at a time; what arrives meanwhile makes the next. */
  batches: number;
  /** How long an idle gatherer waits for company. */
  lingerMs: number;
  /** Answers a result for each item that has one. */
  work: (items: readonly string[]) => Promise<ReadonlyMap<string, Result>>;
}

interface Waiting<Result> {
  resolve: (result: Result | undefined) => void;
  reject: (error: unknown) => void;
}

/** Turns single items that arrive together into few batches. An item that waits already is joined, not repeated. */
export function gather<Result>({
  clock,
  atMost,
  batches,
  lingerMs,
  work,
}: GatherOptions<Result>): (item: string) => Promise<Result | undefined> {
  const waiting = new Map<string, Waiting<Result>[]>();
  let underWay = 0;
  let isLingering = false;

  const take = (): Map<string, Waiting<Result>[]> => {
    const taken = new Map([...waiting].slice(0, atMost));
    for (const item of taken.keys()) waiting.delete(item);
    return taken;
  };

  const run = async (): Promise<void> => {
    const batch = take();
    underWay += 1;
    try {
      const results = await work([...batch.keys()]);
      for (const [item, waiters] of batch) for (const waiter of waiters) waiter.resolve(results.get(item));
    } catch (error) {
      for (const waiters of batch.values()) for (const waiter of waiters) waiter.reject(error);
    } finally {
      underWay -= 1;
      start();
    }
  };

  const start = (): void => {
    while (underWay < batches && waiting.size >= atMost) void run();
    if (waiting.size === 0 || underWay >= batches || isLingering) return;
    isLingering = true;
    void clock.sleep(lingerMs, new AbortController().signal).then(() => {
      isLingering = false;
      if (waiting.size > 0 && underWay < batches) void run();
    });
  };

  return (item) =>
    new Promise((resolve, reject) => {
      const waiters = waiting.get(item);
      if (waiters === undefined) waiting.set(item, [{ resolve, reject }]);
      else waiters.push({ resolve, reject });
      start();
    });
}
