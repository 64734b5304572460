import { createHash } from 'node:crypto';
import { readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { migrate, MIGRATIONS_FOLDER } from '@tocsin/db';
import postgres from 'postgres';
import { testUrl } from './test-urls.ts';

const made = new Map<string, Promise<string>>();

/**
 * The name of a migrated database on this server that nobody can connect to, so that it can always be copied. Each day has its own: it
 * holds the days that a database migrated today would.
 */
export function templateDatabase(serverUrl: string): Promise<string> {
  const today = new Date().toISOString().slice(0, 10).replaceAll('-', '');
  const key = `${today} ${serverUrl}`;
  const known = made.get(key) ?? makeTemplate(serverUrl, today);
  made.set(key, known);
  return known;
}

async function makeTemplate(serverUrl: string, today: string): Promise<string> {
  const name = `tocsin_template_${await migrationsHash()}_${today}`;
  const sql = postgres(serverUrl, { max: 1, onnotice: () => {} });
  try {
    await sql`select pg_advisory_lock(hashtextextended('tocsin template', 0))`;
    const [found] = await sql`select from pg_database where datname = ${name}`;
    if (found) return name;
    const unfinished = `${name}_unfinished`;
    await sql.unsafe(`drop database if exists ${unfinished} with (force)`);
    await sql.unsafe(`create database ${unfinished}`);
    await migrate({
      adminUrl: testUrl(serverUrl, unfinished),
      appUrl: testUrl(serverUrl, unfinished, 'tocsin_app'),
      queueUrl: testUrl(serverUrl, unfinished, 'tocsin_queue'),
      log: () => {},
    });
    await sql.unsafe(`alter database ${unfinished} with allow_connections false`);
    await sql.unsafe(`alter database ${unfinished} rename to ${name}`);
    return name;
  } finally {
    await sql.end({ timeout: 5 });
  }
}

async function migrationsHash(): Promise<string> {
  const hash = createHash('sha256');
  const files = (await readdir(MIGRATIONS_FOLDER)).filter((file) => file.endsWith('.sql')).sort();
  for (const file of files) hash.update(file).update(await readFile(join(MIGRATIONS_FOLDER, file)));
  return hash.digest('hex').slice(0, 16);
}
