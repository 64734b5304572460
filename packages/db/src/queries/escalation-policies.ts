import { and, asc, count, eq, sql } from 'drizzle-orm';
import { tocsinNow } from '../columns.ts';
import { type EscalationPolicyRow, escalationPolicies } from '../tables/escalation.ts';
import type { DrizzleTx } from '../with-tenants.ts';

type Settings = Pick<EscalationPolicyRow, 'name' | 'position' | 'matchers' | 'steps' | 'repeat'>;
type Ref = Pick<EscalationPolicyRow, 'tenantId' | 'key'>;

const one = ({ tenantId, key }: Ref) => and(eq(escalationPolicies.tenantId, tenantId), eq(escalationPolicies.key, key));

/** Null: its key is taken. */
export async function insertEscalationPolicy(
  tx: DrizzleTx,
  { actor, ...policy }: Settings & Ref & { actor: string },
): Promise<EscalationPolicyRow | null> {
  const [row] = await tx
    .insert(escalationPolicies)
    .values({ ...policy, createdBy: actor, updatedBy: actor })
    .onConflictDoNothing({ target: [escalationPolicies.tenantId, escalationPolicies.key] })
    .returning();
  return row ?? null;
}

/** Keeps everybody else from changing the policy, and from starting to go by it, until the transaction ends. */
export async function lockEscalationPolicy(tx: DrizzleTx, ref: Ref): Promise<EscalationPolicyRow | null> {
  const [row] = await tx.select().from(escalationPolicies).where(one(ref)).for('update');
  return row ?? null;
}

/** Writes the whole of a policy under lock. */
export async function updateEscalationPolicy(
  tx: DrizzleTx,
  { tenantId, key, actor, ...settings }: Settings & Ref & { actor: string },
): Promise<EscalationPolicyRow> {
  const [row] = await tx
    .update(escalationPolicies)
    .set({ ...settings, updatedBy: actor, updatedAtMs: tocsinNow, version: sql`${escalationPolicies.version} + 1` })
    .where(one({ tenantId, key }))
    .returning();
  if (row === undefined) throw new Error('an escalation policy under lock is gone');
  return row;
}

export async function deleteEscalationPolicy(tx: DrizzleTx, ref: Ref): Promise<void> {
  await tx.delete(escalationPolicies).where(one(ref));
}

export async function findEscalationPolicy(tx: DrizzleTx, ref: Ref): Promise<EscalationPolicyRow | null> {
  const [row] = await tx.select().from(escalationPolicies).where(one(ref));
  return row ?? null;
}

/** In the order in which they are tried. */
export async function selectEscalationPolicies(tx: DrizzleTx, tenantId: string): Promise<EscalationPolicyRow[]> {
  return tx
    .select()
    .from(escalationPolicies)
    .where(eq(escalationPolicies.tenantId, tenantId))
    .orderBy(asc(escalationPolicies.position), asc(escalationPolicies.key));
}

export async function countEscalationPolicies(tx: DrizzleTx, tenantId: string): Promise<number> {
  // Two at once: the second counts what the first has made.
  await tx.execute(sql`select pg_advisory_xact_lock(hashtextextended(${`escalation_policies ${tenantId}`}::text, 0))`);
  const [row] = await tx.select({ policies: count() }).from(escalationPolicies).where(eq(escalationPolicies.tenantId, tenantId));
  return row?.policies ?? 0;
}

/** How many of the tenant's policies have a step that tells a channel. */
export async function countEscalationsTo(tx: DrizzleTx, tenantId: string, channelKey: string): Promise<number> {
  const step = JSON.stringify([{ channels: [channelKey] }]);
  return tx.$count(
    escalationPolicies,
    and(eq(escalationPolicies.tenantId, tenantId), sql`${escalationPolicies.steps} @> ${step}::text::jsonb`),
  );
}
