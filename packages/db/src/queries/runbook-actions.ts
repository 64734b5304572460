import type { ActionEvent, Matcher } from '@tocsin/domain';
import { and, asc, count, eq, sql } from 'drizzle-orm';
import { tocsinNow } from '../columns.ts';
import { channels, type ChannelRow } from '../tables/channels.ts';
import { type RunbookActionRow, runbookActions } from '../tables/escalation.ts';
import type { DrizzleTx, SqlTx } from '../with-tenants.ts';

type Ref = Pick<RunbookActionRow, 'tenantId' | 'key'>;

/** An action with the channel its calls go through. */
export interface ActionWithChannel {
  action: RunbookActionRow;
  channel: ChannelRow;
}

const one = ({ tenantId, key }: Ref) => and(eq(runbookActions.tenantId, tenantId), eq(runbookActions.key, key));
const withChannel = and(eq(channels.tenantId, runbookActions.tenantId), eq(channels.id, runbookActions.channelId));

/** Its channel must be there. */
export async function insertRunbookAction(
  tx: DrizzleTx,
  { actor, ...action }: Pick<RunbookActionRow, 'tenantId' | 'key' | 'name' | 'matchers' | 'events' | 'channelId'> & { actor: string },
): Promise<RunbookActionRow> {
  const [row] = await tx
    .insert(runbookActions)
    .values({ ...action, createdBy: actor, updatedBy: actor })
    .returning();
  if (row === undefined) throw new Error('a runbook action was not stored');
  return row;
}

/** Writes the whole of an action under lock; its channel is written apart. */
export async function updateRunbookAction(
  tx: DrizzleTx,
  { tenantId, key, actor, ...settings }: Pick<RunbookActionRow, 'tenantId' | 'key' | 'name' | 'matchers' | 'events'> & { actor: string },
): Promise<RunbookActionRow> {
  const [row] = await tx
    .update(runbookActions)
    .set({ ...settings, updatedBy: actor, updatedAtMs: tocsinNow, version: sql`${runbookActions.version} + 1` })
    .where(one({ tenantId, key }))
    .returning();
  if (row === undefined) throw new Error('a runbook action under lock is gone');
  return row;
}

export async function findRunbookAction(tx: DrizzleTx, ref: Ref): Promise<ActionWithChannel | null> {
  const [row] = await tx
    .select({ action: runbookActions, channel: channels })
    .from(runbookActions)
    .innerJoin(channels, withChannel)
    .where(one(ref));
  return row ?? null;
}

/** The same, and keeps everybody else from changing either until the transaction ends. */
export async function lockRunbookAction(tx: DrizzleTx, ref: Ref): Promise<ActionWithChannel | null> {
  const [row] = await tx
    .select({ action: runbookActions, channel: channels })
    .from(runbookActions)
    .innerJoin(channels, withChannel)
    .where(one(ref))
    .for('update');
  return row ?? null;
}

/** By key. */
export async function selectRunbookActions(tx: DrizzleTx, tenantId: string): Promise<ActionWithChannel[]> {
  return tx
    .select({ action: runbookActions, channel: channels })
    .from(runbookActions)
    .innerJoin(channels, withChannel)
    .where(eq(runbookActions.tenantId, tenantId))
    .orderBy(asc(runbookActions.key));
}

export async function countRunbookActions(tx: DrizzleTx, tenantId: string): Promise<number> {
  // Two at once: the second counts what the first has made.
  await tx.execute(sql`select pg_advisory_xact_lock(hashtextextended(${`runbook_actions ${tenantId}`}::text, 0))`);
  const [row] = await tx.select({ actions: count() }).from(runbookActions).where(eq(runbookActions.tenantId, tenantId));
  return row?.actions ?? 0;
}

/** An action that is switched on, as the planner needs it. */
export interface ActionToPlan {
  tenantId: string;
  matchers: Matcher[];
  events: ActionEvent[];
  channelId: string;
  channelKey: string;
  channelKind: string;
}

export async function runbookActionsOf(sqlTx: SqlTx, tenantIds: readonly string[]): Promise<ActionToPlan[]> {
  return sqlTx<ActionToPlan[]>`
    select a.tenant_id as "tenantId", a.matchers, a.events, c.id as "channelId", c.key as "channelKey", c.kind as "channelKind"
    from runbook_actions a join channels c on c.tenant_id = a.tenant_id and c.id = a.channel_id
    where a.tenant_id = any(${tenantIds as string[]}::uuid[]) and c.enabled
    order by a.tenant_id, a.key`;
}
