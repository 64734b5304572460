import { expect, test } from 'vitest';
import { aNotification } from '../../test/a-notification.ts';
import { anOutside } from '../../test/an-outside.ts';
import { inbox } from './inbox.ts';

const sending = { deliveryId: 'd-1', alertId: 'a-1', nowMs: 0 };

test('renders a message for people', () => {
  expect(JSON.parse(inbox.render(aNotification()))).toMatchObject({
    title: 'Critical · Checkout latency',
    text: 'p95 latency is 2,480.25 ms (limit > 1,000 ms)',
    series: 'model=gpt-4o, operation=checkout',
    kind: 'fired',
  });
});

test('is put under the id of its delivery, and calls nobody', async () => {
  const outside = anOutside();
  const verdict = await inbox.deliver(inbox.render(aNotification()), {}, outside, sending);
  expect(verdict).toMatchObject({ outcome: 'delivered' });
  expect(outside.put).toMatchObject([{ deliveryId: 'd-1', alertId: 'a-1', title: 'Critical · Checkout latency', body: { kind: 'fired' } }]);
  expect(outside.calls).toEqual([]);
});

test('a database that is away is not the verdict of the channel', async () => {
  const outside = { ...anOutside(), putInbox: () => Promise.reject(new Error('away')) };
  await expect(inbox.deliver(inbox.render(aNotification()), {}, outside, sending)).rejects.toThrow('away');
});
