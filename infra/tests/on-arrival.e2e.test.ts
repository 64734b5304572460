import {
  apiClient,
  type Deployment,
  describeQueues,
  newTenant,
  openDeployment,
  type WebhookReceiver,
  webhookReceiver,
} from '@tocsin/testkit';
import { afterAll, beforeAll, expect, test } from 'vitest';

describeQueues('two APIs, an evaluator and a dispatcher, and nobody who claims slots', (backend) => {
  let deployment: Deployment;
  let receiver: WebhookReceiver;
  let other: string;
  beforeAll(async () => {
    receiver = await webhookReceiver();
    deployment = await openDeployment(backend, { api: 1, scheduler: 0, evaluator: 1, dispatcher: 1 });
    other = (await deployment.start('api')).url;
  }, 90_000);
  afterAll(async () => {
    await deployment?.close();
    await receiver?.close();
  }, 120_000);

  test('tell a webhook of a value that is posted to either of them', async () => {
    const { api, key } = await newTenant(deployment.url, deployment.adminKey, 'board');
    await api.post('/api/v1/channels', { key: 'hook', name: 'Hook', kind: 'webhook', grouping: false, config: { url: receiver.url } });
    await api.post('/api/v1/rules', {
      name: 'Issues',
      groupBy: ['team'],
      every: '24h',
      evaluate: 'arrival',
      condition: { name: 'board', measure: 'open', aggregation: 'last', window: '5m', operator: '>', threshold: 5 },
      notify: ['hook'],
    });
    const apis = [api, apiClient(other, key)];
    for (const [index, each] of apis.entries()) {
      await each.post('/api/v1/events', { events: [{ name: 'board', dims: { team: `team-${index}` }, measures: { open: 6 } }] });
      const { body } = await receiver.next();
      expect(JSON.parse(body)).toMatchObject({
        type: 'alert.fired',
        data: { alert: { value: 6, labels: { team: `team-${index}` } } },
      });
    }
  }, 120_000);
});
