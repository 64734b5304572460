import { migrate } from '@tocsin/db';
import { migrateQueue } from '@tocsin/queue';

export interface PrepareOptions {
  adminDatabaseUrl: string;
  databaseUrl: string;
  queueUrl: string;
  log: (line: string) => void;
}

/** Roles, schema and days of partitions; and the queue's own tables where the queue is PostgreSQL. Repeating it changes nothing. */
export async function prepareDatabase({ adminDatabaseUrl, databaseUrl, queueUrl, log }: PrepareOptions): Promise<void> {
  await migrate({ adminUrl: adminDatabaseUrl, appUrl: databaseUrl, queueUrl, log });
  await migrateQueue({ url: queueUrl });
  log('migrate: the queue is ready');
}
