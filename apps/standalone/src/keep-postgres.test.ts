import { fakeClock } from '@tocsin/testkit';
import { expect, onTestFinished, test, vi } from 'vitest';
import { keepPostgres } from './keep-postgres.ts';

const FULL = 'FATAL:  could not write to file "pg_wal/xlogtemp.7": No space left on device';
const MIB = 1_024 * 1_024;

/** A server that runs until it is ended with its last words, on a disk with so much space; time passes check by check. */
function watched() {
  const clock = fakeClock();
  const closing = new AbortController();
  onTestFinished(() => closing.abort());
  const state = { lastWords: '', runs: true, freeBytes: 10 * MIB, launches: 0, said: [] as string[] };
  const server = {
    dir: '/data/postgres',
    isRunning: () => state.runs,
    lastWords: () => state.lastWords,
    relaunch: async () => {
      state.launches += 1;
      if (state.freeBytes < 100 * MIB) throw new Error(`PostgreSQL did not start: ${FULL}`);
      state.runs = true;
    },
  };
  const watching = keepPostgres(server, {
    clock,
    signal: closing.signal,
    say: (line) => state.said.push(line),
    freeBytes: async () => state.freeBytes,
  });
  watching.catch(() => undefined);
  const check = async (): Promise<void> => {
    await vi.waitUntil(() => clock.sleepers() === 1);
    clock.tick(2_000);
    await vi.waitUntil(() => clock.sleepers() === 1 || state.lastWords !== FULL);
  };
  return { state, watching, check, stop: () => closing.abort() };
}

test('a server that a full disk has ended is told of once, and runs again when there is space', async () => {
  const { state, check, stop, watching } = watched();
  await check();
  expect(state.said).toEqual([]);
  Object.assign(state, { runs: false, lastWords: FULL });
  await check();
  await check();
  expect(state).toMatchObject({ launches: 0, said: [expect.stringContaining('the disk that holds /data/postgres is full')] });
  state.freeBytes = 70 * MIB;
  await check();
  expect(state).toMatchObject({ launches: 1, runs: false });
  state.freeBytes = 200 * MIB;
  await check();
  expect(state).toMatchObject({ launches: 2, runs: true, said: [expect.anything(), 'there is space again, and PostgreSQL runs'] });
  stop();
  await expect(watching).resolves.toBeUndefined();
});

test('a server that ended for any other reason is not started again behind anybody’s back', async () => {
  const { state, check, watching } = watched();
  Object.assign(state, { runs: false, lastWords: 'LOG:  received immediate shutdown request' });
  await check();
  await expect(watching).rejects.toThrow('PostgreSQL has ended; start again and it recovers');
  expect(state.launches).toBe(0);
});
