import { findApiKey, touchApiKey, withTenant } from '@tocsin/db';
import { openTurns } from '@tocsin/runtime';
import { timingSafeEqual } from 'node:crypto';
import { AppError } from '../app-error.ts';
import type { Caller, Services } from '../context.ts';
import { hashOfKey, tenantOfKey } from './key-text.ts';

/** Half of the second within which a revoked key must stop working in every process. */
const KNOWN_FOR_MS = 500;
const KNOWN_MAX = 10_000;
/** Keys nobody has seen to be right: made up, as far as one can tell. They share this much of the database. */
const STRANGERS = { atOnce: 4, waiting: 2_000, retryAfterMs: 1_000 };

export interface Keyring {
  /** Whose key this is. Throws a 401 that says what kind of key is needed. */
  callerOf: (keyText: string) => Promise<Caller>;
}

/**
 * Checks API keys against the database, at most twice a second each. Keys that were right before go past the line of those that never
 * were, so that a flood of made-up ones keeps out newcomers at most.
 */
export function openKeyring({ db, clock }: Pick<Services, 'db' | 'clock'>): Keyring {
  const known = new Map<string, { untilMs: number; caller: Promise<Caller> }>();
  const right = new Set<string>();
  const turns = openTurns(STRANGERS.atOnce);

  async function look(tenantId: string, hash: Buffer): Promise<Caller> {
    return withTenant(db, tenantId, async (tx) => {
      const row = await findApiKey(tx, tenantId, hash);
      if (row === null || !timingSafeEqual(row.secretHash, hash)) throw unknownKey();
      if (row.isStale) await touchApiKey(tx, tenantId, row.id);
      return { tenantId, role: row.role, actor: `key:${row.id}` };
    });
  }

  return {
    async callerOf(keyText) {
      const tenantId = tenantOfKey(keyText);
      if (tenantId === null) throw unknownKey();
      const hash = hashOfKey(keyText);
      const id = hash.toString('base64');
      const nowMs = clock.now();
      const held = known.get(id);
      if (held !== undefined && nowMs < held.untilMs && nowMs > held.untilMs - 2 * KNOWN_FOR_MS) return held.caller;
      if (!right.has(id) && turns.waiting() >= STRANGERS.waiting) throw tooManyStrangers();
      const caller = right.has(id) ? look(tenantId, hash) : turns.through(() => look(tenantId, hash));
      if (known.size >= KNOWN_MAX) known.clear();
      known.set(id, { untilMs: nowMs + KNOWN_FOR_MS, caller });
      caller.then(
        () => {
          if (right.size >= KNOWN_MAX) right.clear();
          right.add(id);
        },
        (error: unknown) => {
          known.delete(id);
          if (error instanceof AppError) right.delete(id);
        },
      );
      return caller;
    },
  };
}

const unknownKey = (): AppError =>
  new AppError(
    'unauthenticated',
    'This is not a valid API key. A tenant API key reads tk_<tenant>_<secret> and is sent as "Authorization: Bearer tk_…".',
  );

const tooManyStrangers = (): AppError =>
  new AppError('too_many_requests', 'Too many API keys that are not known are being tried.', { retryAfterMs: STRANGERS.retryAfterMs });
