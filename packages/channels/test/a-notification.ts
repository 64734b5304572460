import type { Notification } from '@tocsin/domain';

/** A firing alert with everything a message can show; `change` replaces parts of it. */
export function aNotification({
  alert,
  ...change
}: Partial<Omit<Notification, 'alert'>> & { alert?: Partial<Notification['alert']> } = {}): Notification {
  return {
    deliveryId: '01990000-0000-7000-8000-00000000000d',
    kind: 'fired',
    timestamp: '2026-03-01T12:00:10.000Z',
    tenant: { id: '01990000-0000-7000-8000-00000000000a', externalKey: 'acme' },
    alert: {
      id: '01990000-0000-7000-8000-00000000000b',
      name: 'Checkout latency',
      alertType: 'latency_high',
      cause: 'threshold',
      status: 'triggered',
      severity: 'critical',
      metric: 'latency',
      aggregation: 'p95',
      operator: '>',
      value: 2480.25,
      threshold: 1000,
      unit: 'ms',
      window: '5m',
      samples: 412,
      labels: { operation: 'checkout', model: 'gpt-4o' },
      startedAt: '2026-03-01T12:00:00.000Z',
      resolvedAt: null,
      url: 'https://tocsin.example/alerts/01990000-0000-7000-8000-00000000000b',
      ...alert,
    },
    rule: { id: '01990000-0000-7000-8000-00000000000c', key: 'checkout-p95', name: 'Checkout latency' },
    context: { summary: 'p95 is 2,480.25 ms on checkout', runbookUrl: 'https://runbooks.example/latency' },
    ...change,
  };
}
