import { testDatabase, type TestDatabase } from '@tocsin/testkit';
import { getTableColumns } from 'drizzle-orm';
import { getTableConfig } from 'drizzle-orm/pg-core';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { TABLES as tables } from './tables.ts';

interface Column {
  name: string;
  type: string;
  notNull: boolean;
  hasDefault: boolean;
  inKey: boolean;
}

let test: TestDatabase;
const stored = new Map<string, Column[]>();

beforeAll(async () => {
  test = await testDatabase();
  const rows = await test.db.sql<(Column & { table: string })[]>`
    select c.relname as table, a.attname as name, format_type(a.atttypid, a.atttypmod) as type, a.attnotnull as "notNull", a.atthasdef as "hasDefault",
      coalesce(a.attnum = any(i.indkey), false) as "inKey"
    from pg_class c join pg_attribute a on a.attrelid = c.oid left join pg_index i on i.indrelid = c.oid and i.indisprimary
    where c.relnamespace = 'tocsin'::regnamespace and c.relkind in ('r', 'p') and not c.relispartition and c.relname <> 'migrations'
      and a.attnum > 0 and not a.attisdropped`;
  for (const { table, ...column } of rows) stored.set(table, [...(stored.get(table) ?? []), column]);
});

afterAll(() => test.drop());

const byName = (a: Column, b: Column): number => (a.name < b.name ? -1 : 1);

describe('the tables that TypeScript knows', () => {
  it('are all the tables there are', () => {
    expect(tables.map((table) => getTableConfig(table).name).sort()).toEqual([...stored.keys()].sort());
  });

  it.each(tables.map((table) => ({ table, name: getTableConfig(table).name })))(
    'have the columns of the database: $name',
    ({ table, name }) => {
      const { columns, primaryKeys } = getTableConfig(table);
      const key = new Set([...columns.filter((column) => column.primary), ...(primaryKeys[0]?.columns ?? [])].map((column) => column.name));
      const known = columns.map((column) => ({
        name: column.name,
        type: column.getSQLType(),
        notNull: column.notNull || key.has(column.name),
        hasDefault: column.hasDefault || column.generated !== undefined,
        inKey: key.has(column.name),
      }));
      expect(known.sort(byName)).toEqual(stored.get(name)?.sort(byName));
    },
  );

  it('call every time a number of milliseconds', () => {
    for (const table of tables) {
      for (const [property, column] of Object.entries(getTableColumns(table))) {
        if (column.getSQLType().startsWith('timestamp')) expect(property).toMatch(/Ms$/);
      }
    }
  });
});
