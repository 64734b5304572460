import { type Database, newId, openDatabase } from '@tocsin/db';
import postgres from 'postgres';
import { templateDatabase } from './template-database.ts';
import { testServerUrl } from './test-server.ts';
import { testUrl } from './test-urls.ts';

export interface TestDatabase {
  /** As the role `tocsin_app`. */
  db: Database;
  /** As a superuser, of the same database. */
  adminUrl: string;
  /** As `tocsin_app`. */
  appUrl: string;
  /** As `tocsin_queue`. */
  queueUrl: string;
  /** Closes `db` and drops the database, whoever is still connected. */
  drop: () => Promise<void>;
}

/**
 * A migrated database for one suite: a copy of a template that is made once per server and set of migrations. `ownServerUrl`: a superuser's,
 * of a server other than the one all tests share.
 */
export async function testDatabase(ownServerUrl?: string): Promise<TestDatabase> {
  const serverUrl = ownServerUrl ?? (await testServerUrl());
  const template = await templateDatabase(serverUrl);
  const name = `tocsin_test_${newId().replaceAll('-', '')}`;
  await onServer(serverUrl, (sql) => sql.unsafe(`create database ${name} template ${template}`));

  const appUrl = testUrl(serverUrl, name, 'tocsin_app');
  const db = openDatabase({ url: appUrl, applicationName: 'tocsin-test', maxConnections: 10 });
  // the template may be from before midnight
  await db.sql`select ensure_horizon()`;
  return {
    db,
    adminUrl: testUrl(serverUrl, name),
    appUrl,
    queueUrl: testUrl(serverUrl, name, 'tocsin_queue'),
    drop: async () => {
      await db.close();
      await onServer(serverUrl, (sql) => sql.unsafe(`drop database if exists ${name} with (force)`));
    },
  };
}

async function onServer(url: string, work: (sql: postgres.Sql) => Promise<unknown>): Promise<void> {
  const sql = postgres(url, { max: 1, onnotice: () => {} });
  try {
    await work(sql);
  } finally {
    await sql.end({ timeout: 5 });
  }
}
