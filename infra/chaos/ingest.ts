import { randomUUID } from 'node:crypto';
import { setTimeout as sleep } from 'node:timers/promises';
import type { ScriptedTenant } from './script.ts';

interface ScriptedEvent {
  ts: string;
  name: string;
  dims: Record<string, string>;
  measures: Record<string, number>;
}

/** What was acknowledged, and what else was heard. */
export interface Ingest {
  /** Resolves once these are acknowledged, under one idempotency key however often they have to be sent. */
  send: (tenant: ScriptedTenant, events: readonly ScriptedEvent[]) => Promise<void>;
  /** How many events of a name were acknowledged, and the sum of each measure over them. */
  acknowledged: (tenant: ScriptedTenant, name: string) => { count: number; sum: number };
  /** Events acknowledged in all. */
  total: () => number;
  /** Answers of 503 with a `Retry-After`, and calls without an answer. */
  refused: () => { unavailable: number; unanswered: number };
  /** Answers that should not have been. */
  strange: readonly string[];
}

const AGAIN_MS = 100;
const LONGEST_WAIT_MS = 1_000;
const UNANSWERED_MS = 60_000;

export function openIngest(): Ingest {
  const totals = new Map<string, { count: number; sum: number }>();
  const strange: string[] = [];
  let [unavailable, unanswered] = [0, 0];

  const attempt = async ({ api }: ScriptedTenant, events: readonly ScriptedEvent[], key: string): Promise<number | null> => {
    const answer = await Promise.race([
      api.ask<{ rejected?: unknown[] }>('POST', '/api/v1/events', { events }, { 'idempotency-key': key }),
      sleep(UNANSWERED_MS, 'silence' as const, { ref: false }),
    ]).catch(() => null);
    if (answer === 'silence') strange.push(`POST /events had no answer in ${UNANSWERED_MS / 1_000} s`);
    if (answer === null || answer === 'silence') {
      unanswered += 1;
      return AGAIN_MS;
    }
    if (answer.status === 202) {
      if ((answer.body.rejected ?? []).length > 0) strange.push(`events rejected: ${JSON.stringify(answer.body)}`);
      return null;
    }
    const retryAfterS = Number(answer.headers.get('retry-after') ?? Number.NaN);
    if (answer.status === 503 && retryAfterS >= 1) {
      unavailable += 1;
      return Math.min(retryAfterS * 1_000, LONGEST_WAIT_MS);
    }
    strange.push(`POST /events answered ${answer.status}, Retry-After ${retryAfterS}: ${JSON.stringify(answer.body)}`);
    return LONGEST_WAIT_MS;
  };

  return {
    send: async (tenant, events) => {
      const key = randomUUID();
      for (let waitMs = await attempt(tenant, events, key); waitMs !== null; waitMs = await attempt(tenant, events, key))
        await sleep(waitMs);
      for (const { name, measures } of events) {
        const total = totals.get(`${tenant.externalKey} ${name}`) ?? { count: 0, sum: 0 };
        const added = Object.values(measures).reduce((sum, value) => sum + value, 0);
        totals.set(`${tenant.externalKey} ${name}`, { count: total.count + 1, sum: total.sum + added });
      }
    },
    acknowledged: ({ externalKey }, name) => totals.get(`${externalKey} ${name}`) ?? { count: 0, sum: 0 },
    total: () => [...totals.values()].reduce((sum, { count }) => sum + count, 0),
    refused: () => ({ unavailable, unanswered }),
    strange,
  };
}
