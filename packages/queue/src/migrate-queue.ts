import { runMigrations } from 'bullmq';
import pg from 'pg';

/**
 * Creates or upgrades the queue's tables in schema `bullmq`, logged in as the role that owns that schema. Safe to run
 * twice and from several processes. Does nothing for a Redis URL.
 */
export async function migrateQueue({ url }: { url: string }): Promise<void> {
  if (!/^postgres(ql)?:\/\//.test(url)) return;
  const client = new pg.Client({ connectionString: url, application_name: 'tocsin-migrate-queue', connectionTimeoutMillis: 5_000 });
  await client.connect();
  try {
    await runMigrations(toleratingSchema(client), 'bullmq');
  } finally {
    await client.end();
  }
}

/**
 * `CREATE SCHEMA IF NOT EXISTS` needs CREATE on the database even when the schema is there, a right this role has no
 * other use for.
 */
function toleratingSchema(client: pg.Client): Parameters<typeof runMigrations>[0] {
  return {
    query: async <Row>(text: string, values: readonly unknown[] = []) => {
      if (text.startsWith('CREATE SCHEMA IF NOT EXISTS')) {
        const { rowCount } = await client.query(`select 1 from pg_namespace where nspname = 'bullmq'`);
        if (rowCount !== 0) return { rows: [] };
      }
      // With values, even none, pg would prepare the text, and a prepared migration may hold one statement only.
      const { rows } = await (values.length === 0 ? client.query(text) : client.query(text, [...values]));
      return { rows: rows as Row[] };
    },
  };
}
