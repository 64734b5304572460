import type { Database } from '@tocsin/db';
import type { Clock } from '@tocsin/domain';
import type { Queues } from '@tocsin/queue';
import type { Logger, Metrics } from '@tocsin/runtime';

/** What every part of the pipeline is handed. */
export interface PipelineDeps {
  db: Database;
  queues: Queues;
  logger: Logger;
  metrics: Metrics;
  clock: Clock;
}
