import { testDatabase, type TestDatabase } from '@tocsin/testkit';
import { afterAll, beforeAll, expect, test } from 'vitest';

let database: TestDatabase;
beforeAll(async () => {
  database = await testDatabase();
});
afterAll(() => database.drop());

test.each([
  ['text[]', ['plain', '', 'NULL', 'null', 'a,b', '{}', 'quo"te', 'back\\slash', ' space ', 'line\nbreak', '€ 🙂', null]],
  ['uuid[]', ['01a1fb52-9bb0-7632-a078-ffd54edb8098', null]],
  ['float8[]', [0, -1.5, 1e300, 0.1, Infinity, null]],
  ['int4[]', [1, -2, null]],
  ['int2[]', [1, -2]],
  ['int8[]', [9_007_199_254_740_991, null]],
  ['bool[]', [true, false, null]],
  ['timestamptz[]', [1_795_214_846_123, null]],
  ['text[]', []],
])('%s comes back as it went', async (type, values) => {
  const { sql } = database.db;
  const [row] = await sql<{ values: unknown; count: number }[]>`
    select given as values, cardinality(given) as count from (select ${sql.typed(values as never, 0)}::${sql.unsafe(type)} as given) x`;
  expect(row).toEqual({ values, count: values.length });
});
