import { setTimeout as sleep } from 'node:timers/promises';
import { z } from 'zod';
import { CannotStart, faultPoint, runProcess, variables } from '../src/index.ts';

/** A process as the apps are, which says what happens to it on stdout. What it does is its argument. */
const say = (words: string): void => void process.stdout.write(`${words}\n`);

await runProcess('test', z.object({ secretKey: variables.secretKey, port: variables.port }), async ({ config, stack, signal }) => {
  say(`port ${config.port}`);
  stack.defer('first', () => say('first ended'));
  stack.defer('second', async () => {
    await sleep(20);
    say('second ended');
  });
  signal.addEventListener('abort', () => say('told to stop'));
  switch (process.argv[2]) {
    case 'finish':
      return 'finished';
    case 'fail':
      throw new Error('no database');
    case 'refuse':
      throw new CannotStart('The disk is full: free some space.');
    case 'crash':
      setTimeout(() => {
        throw new Error('a bug');
      }, 10);
      break;
    case 'hang':
      stack.defer('hangs', () => new Promise(() => undefined));
      break;
    case 'fault':
      faultPoint('elsewhere');
      say('past elsewhere');
      for (let passage = 1; passage <= 3; passage += 1) {
        faultPoint('here');
        say(`past here ${passage}`);
      }
      return 'finished';
    default:
      break;
  }
  setInterval(() => undefined, 60_000);
  say('up');
});
