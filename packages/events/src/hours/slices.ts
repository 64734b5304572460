const SLICE_MS = 50;

/** To be awaited between steps of long work: lets the event loop go on when it was held for 50 ms, and rejects when the work is called off. */
export function slices(signal: AbortSignal): () => Promise<void> {
  let startedMs = performance.now();
  return async () => {
    if (performance.now() - startedMs < SLICE_MS) return;
    await new Promise(setImmediate);
    signal.throwIfAborted();
    startedMs = performance.now();
  };
}
