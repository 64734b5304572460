import { expect, test } from 'vitest';
import { inSlices } from './slices.ts';

/** Each step keeps the process for longer than a slice. */
function* longSteps(count: number, onStep: () => void = () => {}): Generator<undefined, void> {
  for (let step = 0; step < count; step++) {
    const startedMs = performance.now();
    while (performance.now() - startedMs < 51);
    onStep();
    yield;
  }
}

test('others have a turn after each slice of work', async () => {
  let turns = 0;
  let isOver = false;
  const others = (): void => {
    turns += 1;
    if (!isOver) setImmediate(others);
  };
  setImmediate(others);
  let told = 0;
  await inSlices(longSteps(4), new AbortController().signal, () => (told += 1));
  isOver = true;
  expect(told).toBe(4);
  expect(turns).toBeGreaterThanOrEqual(3);
});

test('work that is called off ends at its next turn', async () => {
  const calledOff = new AbortController();
  const late = new Error('late');
  let steps = 0;
  setImmediate(() => calledOff.abort(late));
  await expect(
    inSlices(
      longSteps(10, () => (steps += 1)),
      calledOff.signal,
      () => {},
    ),
  ).rejects.toBe(late);
  expect(steps).toBeLessThan(3);
});
