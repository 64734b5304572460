import { newId } from '@tocsin/db';
import { openKeyring } from '@tocsin/services';
import { fakeClock } from '@tocsin/testkit';
import { randomBytes } from 'node:crypto';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { openWorld, type World } from './open-world.ts';

let world: World;
beforeAll(async () => {
  world = await openWorld();
});
afterAll(() => world.close());

const madeUp = (): string => `tk_${newId().replaceAll('-', '')}_${randomBytes(32).toString('base64url')}`;

/** The world's database, which counts the transactions under way, holds them while it is shut, and afterwards fails those that come. */
function gatedDatabase() {
  const { db } = world.services;
  let gate = Promise.resolve();
  let running = 0;
  let isOver = false;
  const seen = { most: 0 };
  const transaction: typeof db.drizzle.transaction = async (...work) => {
    if (isOver) throw new Error('over');
    seen.most = Math.max(seen.most, (running += 1));
    await gate;
    return db.drizzle.transaction(...work).finally(() => (running -= 1));
  };
  const shut = (): (() => void) => {
    const { promise, resolve } = Promise.withResolvers<void>();
    gate = promise;
    return () => {
      isOver = true;
      resolve();
    };
  };
  return { db: { ...db, drizzle: { transaction } as typeof db.drizzle }, seen, shut };
}

test('made-up keys take few of the database’s connections, wait in a line that ends, and hold up no key that is known', async () => {
  const { db, seen, shut } = gatedDatabase();
  const clock = fakeClock();
  const keyring = openKeyring({ db, clock });
  const known = await (await world.tenant()).apiKey('viewer');
  await keyring.callerOf(known);

  const open = shut();
  const flood = Promise.allSettled(Array.from({ length: 3_000 }, () => keyring.callerOf(madeUp())));
  clock.tick(60_000);
  const meanwhile = keyring.callerOf(known);
  expect(seen.most).toBe(5);
  open();
  expect(await meanwhile).toMatchObject({ role: 'viewer' });

  const reasons = (await flood).map((outcome) =>
    outcome.status === 'rejected' ? (outcome.reason as { code?: string; retryAfterMs?: number }) : {},
  );
  const turnedAway = reasons.filter(({ code }) => code === 'too_many_requests');
  expect(turnedAway).toHaveLength(3_000 - 4 - 2_000);
  expect(turnedAway[0]?.retryAfterMs).toBe(1_000);
  expect(reasons.filter(({ code }) => code === 'unauthenticated')).toHaveLength(4);
});

test('a key that was revoked is no longer known, and stands in the line with the others', async () => {
  const { db, seen, shut } = gatedDatabase();
  const clock = fakeClock();
  const keyring = openKeyring({ db, clock });
  const tenant = await world.tenant();
  const { body } = await tenant.ask('POST', `/tenants/${tenant.tenantId}/api-keys`, { name: 'short', role: 'viewer' });
  await keyring.callerOf(body.key);
  await tenant.ask('DELETE', `/tenants/${tenant.tenantId}/api-keys/${body.id}`);
  clock.tick(60_000);
  await expect(keyring.callerOf(body.key)).rejects.toMatchObject({ code: 'unauthenticated' });

  const open = shut();
  const flood = Promise.allSettled([...Array.from({ length: 10 }, madeUp), body.key as string].map((key) => keyring.callerOf(key)));
  expect(seen.most).toBe(4);
  open();
  expect((await flood).every(({ status }) => status === 'rejected')).toBe(true);
});
