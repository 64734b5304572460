import { isRetryable } from '@tocsin/db';

export interface BatchOptions<Item, Result> {
  /** Items of one batch. */
  atMost: number;
  /** Batches under way at a time; what arrives meanwhile makes the next. */
  batches: number;
  /** All or nothing: when it rejects, none of its effects stays. Answers a result for each item, in their order. */
  work: (items: readonly Item[]) => Promise<readonly Result[]>;
}

interface Waiting<Item, Result> {
  item: Item;
  resolve: (result: Result) => void;
  reject: (error: unknown) => void;
}

/**
 * Turns single items that arrive while others are worked on into few batches; nobody waits for company. When a batch fails and the server
 * is not to blame, each item is done alone, so that only the one to blame fails.
 */
export function inBatches<Item, Result>({ atMost, batches, work }: BatchOptions<Item, Result>): (item: Item) => Promise<Result> {
  const waiting: Waiting<Item, Result>[] = [];
  let underWay = 0;
  let isStarting = false;

  const finish = async (batch: readonly Waiting<Item, Result>[]): Promise<void> => {
    try {
      const results = await work(batch.map(({ item }) => item));
      for (const [index, { resolve }] of batch.entries()) resolve(results[index]!);
    } catch (error) {
      if (batch.length === 1 || isRetryable(error)) for (const { reject } of batch) reject(error);
      else for (const each of batch) await finish([each]);
    }
  };

  const start = (): void => {
    isStarting = false;
    while (underWay < batches && waiting.length > 0) {
      underWay += 1;
      void finish(waiting.splice(0, atMost)).finally(() => {
        underWay -= 1;
        start();
      });
    }
  };

  return (item) =>
    new Promise((resolve, reject) => {
      waiting.push({ item, resolve, reject });
      if (isStarting || underWay >= batches) return;
      // what arrives in the same breath goes along
      isStarting = true;
      setImmediate(start);
    });
}
