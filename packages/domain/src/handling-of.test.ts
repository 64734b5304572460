import { expect, test } from 'vitest';
import { handlingOf } from './handling-of.ts';
import type { AlertGroup } from './alert-group.ts';
import type { AlertStatus } from './alert-status.ts';
import type { AlertSnapshot, MessageKind } from './notification.ts';

test.each<[kind: MessageKind, status: AlertStatus, actions: string[]]>([
  ['fired', 'triggered', ['acknowledge', 'silence']],
  ['no_data', 'triggered', ['acknowledge', 'silence']],
  ['escalated', 'active', ['acknowledge', 'silence']],
  ['escalated', 'acknowledged', ['silence']],
  ['acknowledged', 'acknowledged', ['silence']],
  ['unacknowledged', 'active', ['acknowledge', 'silence']],
  ['undelivered', 'active', ['acknowledge', 'silence']],
  ['undelivered', 'resolved', []],
  ['resolved', 'resolved', []],
  ['test', 'triggered', []],
])('a message %s of an alert that is %s offers %j', (kind, status, actions) => {
  const alert = { status } as AlertSnapshot;
  expect(handlingOf({ kind, alert })).toEqual(actions);
  expect(handlingOf({ kind, alert, group: {} as AlertGroup })).toEqual([]);
});
