import { checkDatabase, checkMigrations, DatabaseUnfit, ensurePartitions, openDatabase, type Database } from '@tocsin/db';
import { openQueues } from '@tocsin/queue';
import {
  createMetrics,
  type DependencyChecks,
  exposeQueueDepth,
  type Logger,
  type ShutdownStack,
  systemClock,
  variables,
} from '@tocsin/runtime';
import { setTimeout as sleep } from 'node:timers/promises';
import { retention } from './bound-variables.ts';
import type { PipelineDeps } from './pipeline-deps.ts';

/** The variables of every process that works on the pipeline. */
export const pipelineVariables = {
  databaseUrl: variables.databaseUrl,
  queueUrl: variables.queueUrl,
  host: variables.host,
  port: variables.port,
  retention,
};

export interface PipelineOptions {
  /** Of the process, in connections and metrics. */
  name: string;
  databaseUrl: string;
  queueUrl: string;
  /** Milliseconds. */
  retention: number;
  logger: Logger;
  /** Takes what ends what was opened. */
  stack: ShutdownStack;
}

const DATABASE_WAIT_MS = 30_000;
const RETRY_MS = 500;
const DRAIN_MS = 10_000;

/** Opens what every part of the pipeline stands on. Waits for servers that are not up yet, and throws when they stay away or are not fit for use. */
export async function openPipeline({
  name,
  databaseUrl,
  queueUrl,
  retention: keepMs,
  logger,
  stack,
}: PipelineOptions): Promise<PipelineDeps> {
  const db = openDatabase({ url: databaseUrl, applicationName: `tocsin-${name}` });
  stack.defer('database', db.close);
  await untilFit(db, logger);
  // After more than a week of standstill the days made ahead are used up.
  await ensurePartitions(db, keepMs);
  const queues = await openQueues({ url: queueUrl, logger });
  stack.defer('queues', () => queues.close(DRAIN_MS));
  const metrics = createMetrics(name);
  exposeQueueDepth(metrics, queues.depth);
  return { db, queues, logger, metrics, clock: systemClock };
}

/** What `/readyz` asks of a process on the pipeline. */
export const pipelineChecks = ({ db, queues }: PipelineDeps): DependencyChecks => ({
  database: async () => void (await db.sql`select 1`),
  migrations: () => checkMigrations(db),
  queue: queues.ping,
});

async function untilFit(db: Database, logger: Logger): Promise<void> {
  const giveUpAtMs = performance.now() + DATABASE_WAIT_MS;
  for (;;) {
    try {
      return await checkDatabase(db);
    } catch (error) {
      if (error instanceof DatabaseUnfit || wasClosed(error) || performance.now() > giveUpAtMs) throw error;
      logger.warn({ err: error }, 'the database does not answer; waiting for it');
      await sleep(RETRY_MS);
    }
  }
}

/** By this process, which was told to stop meanwhile. */
const wasClosed = (error: unknown): boolean => error instanceof Error && 'code' in error && error.code === 'CONNECTION_ENDED';
