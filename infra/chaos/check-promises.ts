import type postgres from 'postgres';
import type { Ingest } from './ingest.ts';
import type { Played } from './play.ts';
import { brokenEvents } from './promises/events.ts';
import { brokenHistory } from './promises/history.ts';
import { brokenMessages } from './promises/messages.ts';
import { brokenSlots } from './promises/slots.ts';
import { brokenTransitions } from './promises/transitions.ts';
import type { Receivers } from './receivers.ts';
import type { ScriptedTenant } from './script.ts';

export interface Evidence {
  sql: postgres.Sql;
  tenants: readonly ScriptedTenant[];
  played: readonly Played[];
  ingest: Ingest;
  receivers: Receivers;
  slotMs: number;
}

/** Everything that was promised and did not come about, each in a sentence. */
export async function checkPromises({ sql, tenants, played, ingest, receivers, slotMs }: Evidence): Promise<string[]> {
  return [
    ...ingest.strange,
    ...played.flatMap(({ stuck }) => stuck ?? []),
    ...(await brokenSlots(sql, slotMs)),
    ...(await brokenTransitions(sql, played)),
    ...(await brokenMessages(sql, receivers.messages)),
    ...(await brokenEvents(tenants, ingest)),
    ...(await brokenHistory(sql, tenants)),
  ];
}
