export interface Turns {
  /** Works when its turn comes, in the order of asking. */
  through: <Result>(work: () => Promise<Result>) => Promise<Result>;
  /** How many wait for theirs. */
  waiting: () => number;
}

/** Lets so many pieces of work run at once; a turn ends with its work, however that ends. */
export function openTurns(atOnce: number): Turns {
  let running = 0;
  const turns: (() => void)[] = [];
  return {
    async through(work) {
      if (running === atOnce) await new Promise<void>((turn) => turns.push(turn));
      else running += 1;
      try {
        return await work();
      } finally {
        const next = turns.shift();
        if (next === undefined) running -= 1;
        else next();
      }
    },
    waiting: () => turns.length,
  };
}
