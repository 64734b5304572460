import type { SqlTx } from '../with-tenants.ts';

export interface OwnerNotice {
  tenantId: string;
  id: string;
  /** What it is about: a second notice about the same thing is the same message. */
  aboutId: string;
  title: string;
  body: Record<string, unknown>;
}

/** Tells the tenants' people, in the product's own inbox, about trouble with their account of it. */
export async function putOwnerNotices(sql: SqlTx, notices: readonly OwnerNotice[]): Promise<void> {
  await sql`
    insert into inbox (tenant_id, id, delivery_id, title, body)
    select tenant_id, id, about_id, title, body::jsonb
    from unnest(
      ${notices.map((notice) => notice.tenantId)}::uuid[], ${notices.map((notice) => notice.id)}::uuid[], ${notices.map((notice) => notice.aboutId)}::uuid[],
      ${notices.map((notice) => notice.title)}::text[], ${notices.map((notice) => JSON.stringify(notice.body))}::text[]
    ) as new (tenant_id, id, about_id, title, body)
    on conflict (tenant_id, delivery_id) do nothing`;
}
