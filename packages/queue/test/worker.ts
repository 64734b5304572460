import { setTimeout as sleep } from 'node:timers/promises';
import { dispatchTrigger, openQueues } from '../src/index.ts';

/** A worker to be killed: says `ready`, then the id of every run it has finished. */
const [url = ''] = process.argv.slice(2);
const silent = { info: () => undefined, warn: () => undefined, error: () => undefined };
const queues = await openQueues({ url, logger: silent });
const consumer = queues.consumer(dispatchTrigger, { concurrency: 5 }, async ({ triggerId }) => {
  await sleep(50);
  process.stdout.write(`${triggerId}\n`);
});
await consumer.ready();
process.stdout.write('ready\n');
