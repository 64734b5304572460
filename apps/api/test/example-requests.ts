/** A body that says everything a route understands, by `METHOD /path`; what tests alter piece by piece. The channel `example-channel` must exist. */
export const EXAMPLE_BODIES: Readonly<Record<string, Record<string, unknown>>> = {
  'POST /rules': aWholeRule(),
  // The same words as those of a rule that is saved.
  'POST /rules/test': pick(aWholeRule(), 'name', 'condition', 'groupBy'),
  'PATCH /rules/:id': omit(aWholeRule(), 'key'),
  'PUT /rules/by-key/:key': omit(aWholeRule(), 'key'),
  'POST /channels': {
    key: 'example',
    name: 'Example',
    kind: 'webhook',
    config: {
      url: 'https://receiver.example/in?team=1',
      secret: ['whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw'],
      headers: { 'x-team': 'payments' },
    },
    enabled: true,
    fallback: null,
    maxPerMinute: 60,
    grouping: true,
    quietHours: { timeZone: 'Europe/Berlin', windows: [{ days: ['mon', 'tue'], from: '22:00', to: '07:00' }] },
    digest: { every: 'weekly', day: 'mon', at: '09:00', timeZone: 'Europe/Berlin' },
    digestBelow: 'warning',
  },
  'PATCH /channels/:id': {
    name: 'Renamed',
    config: { url: 'https://receiver.example/other', headers: { 'x-team': 'payments' } },
    enabled: true,
    fallback: null,
    maxPerMinute: 60,
    grouping: true,
    quietHours: { timeZone: 'Europe/Berlin', windows: [{ days: ['mon', 'tue'], from: '22:00', to: '07:00' }] },
    digest: { every: 'weekly', day: 'mon', at: '09:00', timeZone: 'Europe/Berlin' },
    digestBelow: 'warning',
  },
  'POST /channels/:id/rotate-secret': { secret: 'whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw', overlap: '1h' },
  'PUT /notification-settings': { fallback: 'example-channel' },
  'POST /deliveries/replay': {
    channel: 'example-channel',
    from: 1_700_000_000_000,
    to: 1_700_000_060_000,
    reason: 'expired',
    dryRun: true,
  },
  'POST /drills': { channels: ['example-channel'], severity: 'warning' },
  'PUT /drills/schedule': { cron: '0 9 * * 1', timeZone: 'Europe/Berlin', channels: ['example-channel'], severity: 'warning' },
  'POST /packs/:key/install': { notify: [{ channel: 'example-channel', minSeverity: 'warning' }] },
  'POST /metrics/definitions': { key: 'example', ...aDefinition() },
  'PATCH /metrics/definitions/:key': aDefinition(),
  'POST /rules/preview': { rule: aWholeRule(), from: 1_700_000_000_000, to: 1_700_000_060_000, step: '1m' },
  'POST /rules/:id/backtest': { rule: { for: '1m' }, from: 1_700_000_000_000, to: 1_700_000_060_000, step: '1m' },
  'PUT /schedule': {
    every: '5m',
    debounce: '10m',
    timeZone: 'Europe/Berlin',
    cron: '*/10 9-17 * * 1-5',
    activeHours: [{ days: ['mon', 'fri'], from: '09:00', to: '17:30' }],
    pausedUntil: '2027-01-04T08:00:00.000Z',
  },
  'POST /silences': aWholeSilence(),
  'PUT /silences/:id': aWholeSilence(),
  'POST /silences/preview': pick(aWholeSilence(), 'matchers'),
  'POST /alerts/:id/silence': { duration: '2h', onResolve: true, comment: 'Known' },
  'POST /alerts/:id/unsilence': { comment: 'Mended' },
  'POST /maintenance-windows': aWholeWindow(),
  'PUT /maintenance-windows/:id': aWholeWindow(),
  'PUT /routes': {
    routes: [
      {
        matchers: [{ label: 'team', op: '=', value: 'payments' }],
        channels: [{ channel: 'example-channel', minSeverity: 'error' }],
        continue: true,
      },
    ],
  },
  'POST /routes/test': { labels: { team: 'payments' }, severity: 'critical', rule: 'slow', alertType: 'latency_high' },
  'PUT /inhibitions': {
    inhibitions: [
      {
        source: [{ label: 'rule', op: '=', value: 'host-down' }],
        target: [{ label: 'severity', op: 'in', value: ['info', 'warning'] }],
        equal: ['host'],
      },
    ],
  },
  'POST /escalation-policies': { key: 'example', ...aWholePolicy() },
  'PUT /escalation-policies/:key': aWholePolicy(),
  'POST /runbook-actions': { key: 'example', ...aWholeAction() },
  'PUT /runbook-actions/:key': aWholeAction(),
  'POST /incidents/:id/acknowledge': { note: 'on it' },
  'POST /incidents/:id/resolve': { notes: 'restarted the worker' },
  'POST /inbox/read': { ids: ['01900000-0000-7000-8000-000000000001'] },
  'POST /inbox/unread': { ids: ['01900000-0000-7000-8000-000000000001'] },
  'POST /alerts/bulk': {
    action: 'acknowledge',
    filter: {
      status: 'open',
      severity: ['critical'],
      alertType: 'latency_high',
      category: 'llm-app',
      rule: 'example',
      label: ['env:prod'],
      assignee: 'ann',
      q: 'checkout',
      from: 1_700_000_000_000,
      to: 1_700_000_060_000,
    },
    note: 'on it',
  },
  'POST /alerts/missed': { from: 1_700_000_000_000, to: 1_700_000_060_000, labels: { env: 'prod' }, note: 'customers called' },
  'POST /alerts/:id/acknowledge': { note: 'on it' },
  'POST /alerts/:id/unacknowledge': { note: 'not mine' },
  'POST /alerts/:id/resolve': { notes: 'restarted the worker' },
  'POST /alerts/:id/comments': { text: 'looks like the queue' },
  'PUT /alerts/:id/assignee': { assignee: 'ann' },
  'PUT /alerts/:id/noise': { note: 'a deploy' },
  'POST /tenants': { name: 'Example', externalKey: 'example-1' },
  'POST /tenants/:tenantId/api-keys': { name: 'Example', role: 'viewer' },
  'POST /metrics/query': {
    measure: 'duration_ms',
    name: 'llm.call',
    aggregation: 'avg',
    where: { model: ['a', 'b'], env: { not: { prefix: 'dev' } }, user: { exists: true }, cost: { '>': 1, '<=': 2 } },
    window: '5m',
    unit: 'ms',
    groupBy: ['model'],
    from: 1_700_000_000_000,
    to: 1_700_000_060_000,
    step: '1m',
  },
  'POST /events': { events: [{ ts: 1_700_000_000_000, name: 'llm.call', dims: { model: 'a' }, measures: { duration_ms: 1.5 } }] },
};

function aWholeSilence(): Record<string, unknown> {
  return {
    matchers: [
      { label: 'model', op: 'in', value: ['a', 'b'] },
      { label: 'host', op: '~', value: 'db-[0-9]+' },
    ],
    duration: '2h',
    onResolve: true,
    startsAt: 1_700_000_000_000,
    comment: 'Database is being moved',
  };
}

function aWholePolicy(): Record<string, unknown> {
  return {
    name: 'On call',
    position: 10,
    matchers: [{ label: 'severity', op: '=', value: 'critical' }],
    steps: [{ after: '5m', channels: ['example-channel'] }],
    repeat: { every: '10m', times: 3 },
  };
}

/** Without its secret: what is hidden is not compared. */
function aWholeAction(): Record<string, unknown> {
  return {
    name: 'Restart',
    matchers: [{ label: 'env', op: '=', value: 'prod' }],
    on: ['fired', 'resolved'],
    url: 'https://automation.example/in',
    enabled: true,
  };
}

function aWholeWindow(): Record<string, unknown> {
  return {
    name: 'Nightly',
    matchers: [{ label: 'env', op: '!=', value: 'prod' }],
    timeZone: 'Europe/Berlin',
    start: '2026-11-28T22:00',
    duration: '2h',
    recurrence: { kind: 'weekly', days: ['sat', 'sun'] },
  };
}

function aWholeRule(): Record<string, unknown> {
  return {
    key: 'example',
    name: 'Example',
    severity: 'error',
    condition: {
      any: [
        {
          all: [
            {
              measure: 'duration_ms',
              name: 'llm.call',
              aggregation: 'p95',
              where: {
                model: ['a', 'b'],
                env: { not: { prefix: 'dev' } },
                region: 'eu',
                user: { exists: true },
                cost: { '>': 1, '<=': 2 },
              },
              window: '5m',
              operator: '>',
              threshold: 1_000,
              recover: 900,
              minSamples: 2,
              unit: 'ms',
            },
            { not: { metric: 'error_rate', window: '1m', operator: '<', threshold: 5, groupBy: [] } },
          ],
        },
        { dim: 'user', aggregation: 'distinct', window: '1m', operator: '>=', threshold: 10 },
      ],
    },
    groupBy: ['model', 'env'],
    every: '1m',
    for: '2m',
    keepFiringFor: '3m',
    cooldown: '4m',
    evaluationDelay: '10s',
    newSeriesGrace: '30s',
    flapping: { changes: 4, within: '20m' },
    maxOpenAlerts: 500,
    maxSeries: 900,
    mode: 'live',
    evaluate: 'arrival',
    noData: 'alert',
    onError: 'alert',
    notify: [{ channel: 'example-channel', minSeverity: 'warning' }],
    remindEvery: '4h',
    labels: { team: 'payments' },
    annotations: { summary: 'It is {{ value }}', runbookUrl: 'https://runbooks.example/x' },
    enabled: true,
  };
}

function pick(body: Record<string, unknown>, ...fields: string[]): Record<string, unknown> {
  return Object.fromEntries(Object.entries(body).filter(([name]) => fields.includes(name)));
}

function aDefinition(): Record<string, unknown> {
  return {
    name: 'Example',
    unit: 'issues',
    query: {
      measure: 'duration_ms',
      name: 'llm.call',
      aggregation: 'avg',
      where: { env: 'prod' },
      window: '5m',
      unit: 'ms',
      groupBy: ['model'],
    },
    every: '1m',
    evaluationDelay: '10s',
    enabled: true,
  };
}

function omit(body: Record<string, unknown>, field: string): Record<string, unknown> {
  return Object.fromEntries(Object.entries(body).filter(([name]) => name !== field));
}
