import { expect, test } from 'vitest';
import type { Context } from './context.ts';
import { change } from './idempotency.ts';

/** A database whose transactions fail with these codes, one after the other, and then work. */
function contextLosing(codes: string[]): Context {
  const transaction = async (work: (tx: unknown) => Promise<unknown>): Promise<unknown> => {
    const code = codes.shift();
    if (code !== undefined) throw Object.assign(new Error('lost'), { code });
    return work({ execute: async () => [] });
  };
  const db = { drizzle: { transaction }, clock: { shiftMs: 0 } };
  return { db, tenantId: '0198c0de-0000-7000-8000-000000000000', idempotency: null } as unknown as Context;
}

test('a change that loses to another is made again, three times at most', async () => {
  await expect(change(contextLosing(['40P01', '40001']), async () => 'done')).resolves.toBe('done');
  await expect(change(contextLosing(['40P01', '40P01', '40P01']), async () => 'done')).rejects.toThrow('lost');
});

test('a change that fails for another reason is not made again', async () => {
  let made = 0;
  const failing = change(contextLosing([]), async () => {
    made += 1;
    throw Object.assign(new Error('taken'), { code: '23505' });
  });
  await expect(failing).rejects.toThrow('taken');
  expect(made).toBe(1);
});
