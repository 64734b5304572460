import { Counter, Gauge, Histogram, Registry, collectDefaultMetrics } from 'prom-client';

const FAST_SECONDS = [0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30];
const LAG_SECONDS = [0.1, 0.5, 1, 2, 5, 10, 15, 30, 60, 120, 300, 900];

export type Metrics = ReturnType<typeof createMetrics>;

/** The instruments of one process, in base units and without a tenant label: their number must not grow with customers. */
export function createMetrics(process: string) {
  const registry = new Registry();
  registry.setDefaultLabels({ process });
  // The default of 10 ms wakes an idle process a hundred times a second.
  collectDefaultMetrics({ register: registry, eventLoopMonitoringPrecision: 100 });
  const registers = [registry];
  return {
    registry,
    ingestEvents: new Counter({ name: 'tocsin_ingest_events_total', help: 'Events received.', labelNames: ['result'], registers }),
    ingestFlushSeconds: new Histogram({
      name: 'tocsin_ingest_flush_duration_seconds',
      help: 'One flush of the ingest buffer, to its commit.',
      buckets: FAST_SECONDS,
      registers,
    }),
    ingestBufferedEvents: new Gauge({ name: 'tocsin_ingest_buffered_events', help: 'Events taken in and not yet committed.', registers }),
    segmentCacheBytes: new Gauge({ name: 'tocsin_segment_cache_bytes', help: 'Decoded segments held.', registers }),
    segmentReads: new Counter({ name: 'tocsin_segment_reads_total', help: 'Segments a reading needed.', labelNames: ['from'], registers }),
    slotsSkipped: new Counter({ name: 'tocsin_slots_skipped_total', help: 'Slots that passed while nothing evaluated them.', registers }),
    scheduledRuns: new Counter({
      name: 'tocsin_scheduled_run_requests_total',
      help: 'Requests to run what is due.',
      labelNames: ['result'],
      registers,
    }),
    runs: new Counter({ name: 'tocsin_runs_total', help: 'Runs ended.', labelNames: ['result'], registers }),
    ruleEvaluations: new Counter({ name: 'tocsin_rule_evaluations_total', help: 'Rules evaluated.', labelNames: ['result'], registers }),
    ruleQuarantines: new Counter({ name: 'tocsin_rule_quarantines_total', help: 'Rules put into quarantine.', registers }),
    ruleEvaluationSeconds: new Histogram({
      name: 'tocsin_rule_evaluation_duration_seconds',
      help: 'One run, from lease to commit.',
      buckets: FAST_SECONDS,
      registers,
    }),
    ruleEvaluationLagSeconds: new Histogram({
      name: 'tocsin_rule_evaluation_lag_seconds',
      help: 'From a slot to the commit of its run.',
      buckets: LAG_SECONDS,
      registers,
    }),
    savedMetrics: new Counter({
      name: 'tocsin_saved_metric_runs_total',
      help: 'Instants of saved metrics, recorded or failed.',
      labelNames: ['result'],
      registers,
    }),
    triggers: new Counter({ name: 'tocsin_triggers_total', help: 'Changes of alerts worth telling.', labelNames: ['kind'], registers }),
    notifications: new Counter({
      name: 'tocsin_notifications_total',
      help: 'Attempts to deliver.',
      labelNames: ['channel', 'result'],
      registers,
    }),
    notificationLatencySeconds: new Histogram({
      name: 'tocsin_notification_latency_seconds',
      help: 'From a trigger to the answer of its receiver.',
      buckets: FAST_SECONDS,
      labelNames: ['channel'],
      registers,
    }),
    drills: new Counter({ name: 'tocsin_drills_total', help: 'Fire drills that are over.', labelNames: ['result'], registers }),
    heartbeats: new Counter({
      name: 'tocsin_heartbeats_total',
      help: 'Looks at whether the outside may be told that all is well: sent, withheld, failed.',
      labelNames: ['result'],
      registers,
    }),
    hints: new Counter({
      name: 'tocsin_hints_total',
      help: 'Queue hints sent, failed (the sweep repeats them) and swept.',
      labelNames: ['queue', 'result'],
      registers,
    }),
    httpRequestSeconds: new Histogram({
      name: 'tocsin_http_request_duration_seconds',
      help: 'Requests to the API.',
      labelNames: ['method', 'route', 'status'],
      buckets: FAST_SECONDS,
      registers,
    }),
  };
}

interface QueueDepth {
  waiting: number;
  active: number;
  delayed: number;
  oldestWaitingMs: number | null;
}

/** Asks the queues for their depth at every scrape. Queues that do not answer are left out of the page, which comes all the same. */
export function exposeQueueDepth(metrics: Metrics, depth: () => Promise<Record<string, QueueDepth>>): void {
  const registers = [metrics.registry];
  let asking: Promise<[string, QueueDepth][]> | null = null;
  // A scrape collects all gauges at once, and both are answered by one question.
  const ask = (): Promise<[string, QueueDepth][]> =>
    (asking ??= depth()
      .then(Object.entries<QueueDepth>, () => [])
      .finally(() => (asking = null)));

  const jobs: Gauge<'queue' | 'state'> = new Gauge({
    name: 'tocsin_queue_jobs',
    help: 'Jobs by state.',
    labelNames: ['queue', 'state'],
    registers,
    collect: async () => {
      const depths = await ask();
      jobs.reset();
      for (const [queue, { waiting, active, delayed }] of depths) {
        for (const [state, count] of Object.entries({ waiting, active, delayed })) jobs.set({ queue, state }, count);
      }
    },
  });
  const age: Gauge<'queue'> = new Gauge({
    name: 'tocsin_queue_oldest_job_age_seconds',
    help: 'How long the oldest waiting job has waited; 0 when none does.',
    labelNames: ['queue'],
    registers,
    collect: async () => {
      const depths = await ask();
      age.reset();
      for (const [queue, { oldestWaitingMs }] of depths) age.set({ queue }, (oldestWaitingMs ?? 0) / 1_000);
    },
  });
}
