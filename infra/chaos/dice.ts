/** Seeded: the same seed throws the same numbers. */
export interface Dice {
  /** Uniform in [from, to). */
  between: (from: number, to: number) => number;
  pick: <T>(items: readonly T[]) => T;
}

/** `forWhom` has dice of its own, so that what one throws does not depend on how often others did. mulberry32. */
export function openDice(seed: number, forWhom: string): Dice {
  let state = (seed ^ digest(forWhom)) >>> 0;
  const next = (): number => {
    state = (state + 0x6d2b79f5) >>> 0;
    let mixed = Math.imul(state ^ (state >>> 15), state | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  };
  return {
    between: (from, to) => from + next() * (to - from),
    pick: (items) => {
      const picked = items[Math.floor(next() * items.length)];
      if (picked === undefined) throw new Error('nothing to pick from');
      return picked;
    },
  };
}

/** FNV-1a. */
function digest(text: string): number {
  let hash = 0x811c9dc5;
  for (const char of text) hash = Math.imul(hash ^ (char.codePointAt(0) ?? 0), 0x01000193);
  return hash >>> 0;
}

/** `TOCSIN_TEST_SEED`, else one of this moment. */
export const chosenSeed = (): number => Number(process.env['TOCSIN_TEST_SEED'] ?? Date.now() % 1_000_000);
