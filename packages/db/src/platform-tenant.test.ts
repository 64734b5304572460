import { PLATFORM_TENANT_ID } from '@tocsin/domain';
import { readdirSync, readFileSync } from 'node:fs';
import { expect, test } from 'vitest';

const MIGRATIONS = new URL('../migrations/', import.meta.url);

test('migrations that leave the installation’s own tenant out mean the one that the program knows', () => {
  const files = readdirSync(MIGRATIONS).filter((name) => name.endsWith('.sql'));
  const named = files.flatMap((name) => readFileSync(new URL(name, MIGRATIONS), 'utf8').match(/tenant_id <> '[^']+'/g) ?? []);
  expect(named.length).toBeGreaterThan(0);
  expect([...new Set(named)]).toEqual([`tenant_id <> '${PLATFORM_TENANT_ID}'`]);
});
