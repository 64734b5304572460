/** A small generator of uniform numbers in [0, 1): the same seed gives the same history, so that a repeated back-fill is the same request. */
export function seeded(seed: number): () => number {
  let state = seed % 2 ** 32;
  return () => {
    // Numerical Recipes' linear congruential constants.
    state = (state * 1_664_525 + 1_013_904_223) % 2 ** 32;
    return state / 2 ** 32;
  };
}
