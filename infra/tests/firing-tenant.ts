import { type ApiClient, type Deployment, newTenant } from '@tocsin/testkit';

/** A tenant whose one rule fires at its next slot and resolves once its window of ten seconds is past. */
export async function firingTenant(
  deployment: Deployment,
  receiverUrl: string,
  externalKey: string,
): Promise<{ api: ApiClient; tenantId: string }> {
  const { api, tenantId } = await newTenant(deployment.url, deployment.adminKey, externalKey);
  await api.post('/api/v1/channels', {
    key: 'hook',
    name: 'Hook',
    kind: 'webhook',
    grouping: false,
    config: { url: `${receiverUrl}/${externalKey}` },
  });
  await api.post('/api/v1/events', { events: [{ name: 'job', dims: { status: 'ok' }, measures: { duration_ms: 5_000 } }] });
  await api.post('/api/v1/rules', {
    name: 'Slow jobs',
    condition: { metric: 'latency', aggregation: 'max', window: '10s', operator: '>', threshold: 1_000 },
    evaluationDelay: '0s',
    noData: 'ok',
    notify: [{ channel: 'hook' }],
  });
  return { api, tenantId };
}
