import { testDatabase, type TestDatabase } from '@tocsin/testkit';
import { getTableName } from 'drizzle-orm';
import { readFileSync } from 'node:fs';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { TABLES } from './tables/tables.ts';

/** What people make stays until they delete it. */
const KEPT = [
  'api_keys',
  'channels',
  'drill_schedules',
  'escalation_policies',
  'installed_packs',
  'maintenance_windows',
  'metric_definitions',
  'notification_lists',
  'notification_settings',
  'rules',
  'schedules',
  'tenants',
];

let test: TestDatabase;
beforeAll(async () => {
  test = await testDatabase();
});
afterAll(() => test.drop());

it('the rows of every table end: with their day, by retention, with the row they hang on, or by a person’s hand', async () => {
  const rows = await test.db.sql<{ name: string }[]>`
    select c.relname as name from pg_class c where c.relnamespace = 'tocsin'::regnamespace and (c.relkind = 'p' or exists (
      select from pg_constraint f where f.conrelid = c.oid and f.confdeltype = 'c' and f.confrelid not in (c.oid, 'tocsin.tenants'::regclass)
    ))`;
  const retention = ['retention', 'archive-alerts']
    .map((file) => readFileSync(new URL(`./queries/${file}.ts`, import.meta.url), 'utf8'))
    .join('\n');
  const deleted = [...retention.matchAll(/delete from (\w+)/g)].map(([, name]) => name);
  const ending = new Set([...KEPT, ...rows.map(({ name }) => name), ...deleted]);
  expect(TABLES.map((table) => getTableName(table)).filter((name) => !ending.has(name))).toEqual([]);
});
