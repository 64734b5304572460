/** What the demo watches, in the shape anybody would send. Windows are short, so that breaking the shop shows within a minute. */
export const DEMO_CHANNEL = { key: 'demo-echo', name: 'Echo receiver', kind: 'webhook' } as const;

export const DEMO_RULES = [
  {
    key: 'demo-errors',
    name: 'Failing calls',
    severity: 'critical',
    condition: { metric: 'error_rate', where: { env: 'demo' }, window: '30s', operator: '>', threshold: 15, recover: 5, minSamples: 10 },
    annotations: { summary: '{{ value }} of the shop’s calls fail' },
  },
  {
    key: 'demo-latency',
    name: 'Slow answers',
    severity: 'warning',
    condition: {
      metric: 'latency',
      aggregation: 'p95',
      where: { env: 'demo' },
      window: '30s',
      operator: '>',
      threshold: 5_000,
      minSamples: 3,
    },
    groupBy: ['model'],
    annotations: { summary: 'p95 is {{ value }} on {{ series.model }}' },
  },
].map((rule) => ({ ...rule, every: '10s', evaluationDelay: '1s', cooldown: '0s', notify: [{ channel: DEMO_CHANNEL.key }] }));
