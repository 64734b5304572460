/** The event loop is free at least this often. */
const SLICE_MS = 50;

/** Works through the steps, and lets others have a turn in between, after `onTurn`. Rejects when called off meanwhile. */
export async function inSlices(steps: Iterable<undefined>, signal: AbortSignal, onTurn: () => void): Promise<void> {
  let startedMs = performance.now();
  for (const _ of steps) {
    if (performance.now() - startedMs < SLICE_MS) continue;
    onTurn();
    await new Promise(setImmediate);
    signal.throwIfAborted();
    startedMs = performance.now();
  }
}
