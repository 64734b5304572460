import { readEventLags, type SqlTx } from '@tocsin/db';
import type { LagCounts } from '@tocsin/domain';

export interface LagCache {
  /** How late the tenants' events come, by tenant and name, at most a minute old. Only for tenants of whom a rule wants to know. */
  load: (sql: SqlTx, tenantIds: readonly string[]) => Promise<ReadonlyMap<string, ReadonlyMap<string, LagCounts>>>;
}

const AT_MOST_OLD_MS = 60_000;
const MOST_TENANTS = 2_000;

export function openLagCache(): LagCache {
  const read = new Map<string, { lags: ReadonlyMap<string, LagCounts>; untilMs: number }>();
  return {
    async load(sql, tenantIds) {
      const nowMs = performance.now();
      const old = tenantIds.filter((tenantId) => (read.get(tenantId)?.untilMs ?? -Infinity) <= nowMs);
      for (const [tenantId, lags] of old.length === 0 ? [] : await readEventLags(sql, old)) {
        read.delete(tenantId);
        read.set(tenantId, { lags, untilMs: nowMs + AT_MOST_OLD_MS });
      }
      const lags = new Map(tenantIds.map((tenantId) => [tenantId, read.get(tenantId)!.lags]));
      for (const tenantId of read.keys()) {
        if (read.size <= MOST_TENANTS) break;
        read.delete(tenantId);
      }
      return lags;
    },
  };
}
