import { setImmediate as turnOfTheLoop } from 'node:timers/promises';
import { expect, test } from 'vitest';
import { Turns } from './turns.ts';

const NEVER = new AbortController().signal;

function work(turns: Turns, log: string[], name: string, signal = NEVER): { done: Promise<void>; end: () => void } {
  let end!: () => void;
  const until = new Promise<void>((resolve) => (end = resolve));
  const done = turns.take(signal, async () => {
    log.push(`${name} begins`);
    await until;
    log.push(`${name} ends`);
  });
  return { done, end };
}

test('no more than so many work at once, the others in their order', async () => {
  const turns = new Turns(2);
  const log: string[] = [];
  const [a, b, c, d] = ['a', 'b', 'c', 'd'].map((name) => work(turns, log, name)) as [Work, Work, Work, Work];
  await turnOfTheLoop();
  expect(log).toEqual(['a begins', 'b begins']);
  b.end();
  await b.done;
  await turnOfTheLoop();
  expect(log.slice(2)).toEqual(['b ends', 'c begins']);
  for (const each of [a, c, d]) each.end();
  await Promise.all([a.done, c.done, d.done]);
  expect(log.at(-1)).toBe('d ends');
});

test('who is called off while waiting never begins, and holds nobody up', async () => {
  const turns = new Turns(1);
  const log: string[] = [];
  const first = work(turns, log, 'first');
  const calledOff = new AbortController();
  const second = work(turns, log, 'second', calledOff.signal);
  const third = work(turns, log, 'third');
  calledOff.abort();
  await expect(second.done).rejects.toThrow();
  first.end();
  third.end();
  await Promise.all([first.done, third.done]);
  expect(log).toEqual(['first begins', 'first ends', 'third begins', 'third ends']);
  await expect(turns.take(AbortSignal.abort(), () => Promise.resolve())).rejects.toThrow();
  await expect(turns.take(NEVER, () => Promise.reject(new Error('failed')))).rejects.toThrow('failed');
  expect(await turns.take(NEVER, () => Promise.resolve('again'))).toBe('again');
});

type Work = ReturnType<typeof work>;
