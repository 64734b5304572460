import type { SqlTx } from '../with-tenants.ts';
import type { ChannelRef } from './dead-notices.ts';

/** Channels that hold secrets nobody needs any more. Needs no tenant set. */
export async function channelsWithFormerSecrets(sql: SqlTx, limit: number): Promise<ChannelRef[]> {
  return sql<ChannelRef[]>`select tenant_id as "tenantId", id as "channelId" from channels_with_former_secrets(${limit}::int)`;
}

export interface SealedSecrets extends ChannelRef {
  kind: string;
  secrets: Buffer | null;
}

/** Those of them that still do; locked. */
export async function lockFormerSecrets(sql: SqlTx, refs: readonly ChannelRef[]): Promise<SealedSecrets[]> {
  return sql<SealedSecrets[]>`
    select c.tenant_id as "tenantId", c.id as "channelId", c.kind, c.secrets
    from unnest(${refs.map((ref) => ref.tenantId)}::uuid[], ${refs.map((ref) => ref.channelId)}::uuid[]) as wanted (tenant_id, id)
    join channels c on c.tenant_id = wanted.tenant_id and c.id = wanted.id
    where c.former_secrets_until <= tocsin_now()
    order by c.tenant_id, c.id
    for no key update of c skip locked`;
}

/** Writes what is left of a channel's secrets. Its version stays: to people it is what it was. */
export async function dropFormerSecrets(sql: SqlTx, { tenantId, channelId }: ChannelRef, secrets: Buffer | null): Promise<void> {
  await sql`
    update channels set secrets = ${secrets}, former_secrets_until = null, updated_at = tocsin_now()
    where tenant_id = ${tenantId} and id = ${channelId}`;
}
