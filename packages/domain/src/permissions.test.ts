import { expect, test } from 'vitest';
import { can, PERMISSIONS, ROLES, type Permission, type Role } from './permissions.ts';

test.each<[Role, Permission, boolean]>([
  ['viewer', 'rules:read', true],
  ['viewer', 'rules:write', false],
  ['viewer', 'deliveries:retry', false],
  ['responder', 'deliveries:retry', true],
  ['viewer', 'alerts:handle', false],
  ['responder', 'alerts:handle', true],
  ['editor', 'alerts:delete', false],
  ['admin', 'alerts:delete', true],
  ['responder', 'rules:write', false],
  ['editor', 'rules:write', true],
  ['editor', 'channels:write', true],
  ['editor', 'api-keys:read', false],
  ['editor', 'schedule:write', false],
  ['admin', 'api-keys:write', true],
  ['admin', 'schedule:write', true],
  ['editor', 'evaluate:now', false],
  ['admin', 'evaluate:now', true],
])('%s and %s: %s', (role, permission, may) => {
  expect(can(role, permission)).toBe(may);
});

test('a stronger role may all that a weaker one may', () => {
  for (const permission of Object.keys(PERMISSIONS) as Permission[]) {
    const may = ROLES.map((role) => can(role, permission));
    expect(may).toEqual(may.toSorted());
    expect(may.at(-1)).toBe(true);
  }
});
