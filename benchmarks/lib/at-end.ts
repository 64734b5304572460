const pending: (() => Promise<void>)[] = [];

/**
 * Answers `undo`, to be called once what it undoes is no longer needed. Should the process be told to stop before that, it is called then,
 * what was started last first: a server in a session of its own would stay behind.
 */
export function atEnd(undo: () => Promise<void>): () => Promise<void> {
  let undone: Promise<void> | null = null;
  const undoOnce = (): Promise<void> => {
    const at = pending.indexOf(undoOnce);
    if (at >= 0) pending.splice(at, 1);
    return (undone ??= undo());
  };
  pending.push(undoOnce);
  return undoOnce;
}

async function endEverything(): Promise<void> {
  for (let undo = pending.at(-1); undo !== undefined; undo = pending.at(-1)) {
    await undo().catch((error: unknown) => console.error(error));
  }
  process.exit(130);
}

for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) process.once(signal, () => void endEverything());
