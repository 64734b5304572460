import type { SqlTx } from '../with-tenants.ts';

const ROUTE = 'POST /api/v1/events';
const STATUS = 202;

/** The answer to a request with an Idempotency-Key, to be stored with what it did. */
export interface IngestKey {
  tenantId: string;
  key: string;
  bodyHash: Buffer;
  answer: object;
}

/**
 * Stores the keys that are new, or older than a day, and answers which those are; waits for transactions that are storing the same ones.
 * In key order, so that two flushes cannot wait for each other.
 */
export async function claimIngestKeys(sql: SqlTx, keys: readonly IngestKey[]): Promise<{ tenantId: string; key: string }[]> {
  return sql<{ tenantId: string; key: string }[]>`
    insert into idempotency_keys as known (tenant_id, route, key, request_hash, status, response)
    select tenant_id, ${ROUTE}, key, request_hash, ${STATUS}, response
    from unnest(
      ${keys.map(({ tenantId }) => tenantId)}::uuid[], ${keys.map(({ key }) => key)}::text[],
      ${keys.map(({ bodyHash }) => `\\x${bodyHash.toString('hex')}`)}::text[]::bytea[], ${keys.map(({ answer }) => JSON.stringify(answer))}::text[]::jsonb[]
    ) as new (tenant_id, key, request_hash, response)
    order by tenant_id, key
    on conflict (tenant_id, route, key) do update set
      request_hash = excluded.request_hash, status = excluded.status, response = excluded.response, created_at = tocsin_now()
      where known.created_at < tocsin_now() - interval '1 day'
    returning tenant_id as "tenantId", key`;
}

/** What was answered to the key before; null when it is unknown. */
export async function findIngestKey(sql: SqlTx, tenantId: string, key: string): Promise<{ bodyHash: Buffer; answer: object } | null> {
  const rows = await sql<{ bodyHash: Buffer; answer: object }[]>`
    select request_hash as "bodyHash", response as answer from idempotency_keys where tenant_id = ${tenantId} and route = ${ROUTE} and key = ${key}`;
  return rows[0] ?? null;
}
