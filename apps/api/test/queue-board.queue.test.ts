import { dispatchTrigger, openQueues, QUEUE_NAMES, type Queues } from '@tocsin/queue';
import { createLogger } from '@tocsin/runtime';
import { newId } from '@tocsin/db';
import { describeQueues, testQueue, type TestQueue } from '@tocsin/testkit';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { ADMIN_KEY, openWorld, type World } from './open-world.ts';

describeQueues('the queue board', (backend) => {
  let queue: TestQueue;
  let queues: Queues;
  let world: World;
  beforeAll(async () => {
    queue = await testQueue(backend);
    queues = await openQueues({ url: queue.url, logger: createLogger('test', 'silent') });
    world = await openWorld({ queues });
  });
  afterAll(async () => {
    await world.close();
    await queues.close();
    await queue.close();
  });

  test('shows the queues that the processes use, with what waits in them', async () => {
    await queues.producer(dispatchTrigger).send({ tenantId: newId(), triggerId: newId() });
    const answer = await world.askWith(ADMIN_KEY)('GET', '/admin/queues/api/queues');
    const shown = (answer.body.queues as { name: string; counts: { waiting: number } }[]).map(({ name, counts }) => [name, counts.waiting]);
    expect(Object.fromEntries(shown)).toEqual(Object.fromEntries(QUEUE_NAMES.map((name) => [name, name === 'notifications' ? 1 : 0])));
  });
});
