import type { OpenDelivery } from '@tocsin/db';
import { expect, test } from 'vitest';
import { nextStep } from './next-step.ts';

const delivery: OpenDelivery = {
  tenantId: 'n',
  id: 'd',
  triggerId: 't',
  alertId: 'a',
  channelId: 'c',
  channelKey: 'hook',
  channelKind: 'webhook',
  kind: 'fired',
  body: null,
  countedAttempts: 0,
  attempts: 0,
  dueInMs: -1,
  expiresInMs: 86_400_000,
  leasedForMs: null,
  nowMs: 0,
  channel: { enabled: true, version: 1, config: {}, secrets: null, formerSecretsUntilMs: null },
  told: null,
  tenantExternalKey: 'acme',
  earlierDueInMs: null,
  earlierAttempted: false,
  tellsEarlier: false,
  waitingEndId: null,
  foldKey: null,
  heldFor: null,
  earlierElsewhere: false,
};
const off = { enabled: false, version: 1, config: {}, secrets: null, formerSecretsUntilMs: null };

test.each<[string, Partial<OpenDelivery>, ReturnType<typeof nextStep>]>([
  ['due: sent', {}, { kind: 'send' }],
  ['leased by somebody: left to them', { leasedForMs: 5 }, { kind: 'leave' }],
  ['a lease that ran out: sent', { leasedForMs: 0, attempts: 1, countedAttempts: 1 }, { kind: 'send' }],
  ['not yet due: later', { dueInMs: 700 }, { kind: 'wait', inMs: 700, postpone: false }],
  ['too old: dead', { expiresInMs: 0 }, { kind: 'end', status: 'dead', reason: 'expired' }],
  ['too old, though not due: dead', { expiresInMs: 0, dueInMs: 9 }, { kind: 'end', status: 'dead', reason: 'expired' }],
  ['its channel is gone: suppressed', { channel: null }, { kind: 'end', status: 'suppressed', reason: 'channel_missing' }],
  ['its channel is off: suppressed', { channel: off }, { kind: 'end', status: 'suppressed', reason: 'channel_disabled' }],
  [
    'its channel was switched off between attempts: dead',
    { channel: off, attempts: 2 },
    { kind: 'end', status: 'dead', reason: 'channel_disabled' },
  ],
  ['a test of a channel that is off: sent', { channel: off, kind: 'test' }, { kind: 'send' }],
  ['its sender died eight times: dead', { attempts: 8, countedAttempts: 8 }, { kind: 'end', status: 'dead', reason: 'attempts_exhausted' }],
  [
    'an end whose beginning is being tried: after that',
    { kind: 'resolved', earlierDueInMs: 20_000, earlierAttempted: true },
    { kind: 'wait', inMs: 25_000, postpone: true },
  ],
  [
    'an end whose beginning is overdue: a moment later',
    { kind: 'resolved', earlierDueInMs: -9_000 },
    { kind: 'wait', inMs: 5_000, postpone: true },
  ],
  ['an end whose beginning was never tried: suppressed', { kind: 'resolved' }, { kind: 'end', status: 'suppressed', reason: 'never_told' }],
  ['an end whose beginning was tried: sent', { kind: 'resolved', earlierAttempted: true }, { kind: 'send' }],
  ['an end that tells its beginning too: sent', { kind: 'resolved', tellsEarlier: true }, { kind: 'send' }],
  ['never tried, and so is the end that waits for it: that tells both', { waitingEndId: 'e' }, { kind: 'fold', into: 'e' }],
  ['too old, and an end waits: dead', { waitingEndId: 'e', expiresInMs: 0 }, { kind: 'end', status: 'dead', reason: 'expired' }],
])('%s', (_name, change, expected) => {
  expect(nextStep({ ...delivery, ...change })).toEqual(expected);
});
