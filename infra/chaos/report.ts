import type postgres from 'postgres';
import type { Ingest } from './ingest.ts';
import type { Played } from './play.ts';
import { repeatedSends } from './promises/messages.ts';
import { slotsByStatus } from './promises/slots.ts';
import type { Receivers } from './receivers.ts';

export interface StormReport {
  seed: number;
  /** Promises that were broken, each in a sentence. */
  broken: string[];
  transitions: number;
  messages: number;
  /** Sends of messages whose receiver had answered already. */
  repeated: number;
  slots: Record<string, number>;
  /** From an acknowledged change to its message. */
  toldMs: { median: number; p95: number; max: number };
  /** From the end of the trouble until nothing was left to do. */
  settledMs: number;
  /** Sends of events that were not acknowledged: answered 503, or not at all. */
  refused: { unavailable: number; unanswered: number };
  acknowledgedEvents: number;
}

export interface Findings {
  seed: number;
  broken: string[];
  settledMs: number;
  played: readonly Played[];
  ingest: Ingest;
  receivers: Receivers;
}

export async function reportOf(sql: postgres.Sql, { seed, broken, settledMs, played, ingest, receivers }: Findings): Promise<StormReport> {
  const told = played.flatMap(({ toldMs }) => toldMs).toSorted((a, b) => a - b);
  const share = (of: number): number => Math.round(told[Math.min(told.length - 1, Math.floor(told.length * of))] ?? 0);
  return {
    seed,
    broken,
    transitions: told.length,
    messages: new Set(receivers.messages.map(({ id }) => id)).size,
    repeated: repeatedSends(receivers.messages),
    slots: await slotsByStatus(sql),
    toldMs: { median: share(0.5), p95: share(0.95), max: share(1) },
    settledMs: Math.round(settledMs),
    refused: ingest.refused(),
    acknowledgedEvents: ingest.total(),
  };
}
