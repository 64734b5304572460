import {
  hoursState,
  missingPartials,
  needPartials,
  readHourVersions,
  storePartials,
  type PartialKind,
  type PartialRow,
  withTenantsCopy,
  withTenantsSql,
} from '@tocsin/db';
import { type EpochMs, type HoursNeed, isLongWindow, type MetricQuery } from '@tocsin/domain';
import type { Histories } from './histories.ts';
import { encodeHistory } from './hour-history.ts';
import { closedTo, HOUR_MS, hourOf, lookBackOf, oldestHour, versionOf } from './hour.ts';
import { historyKey, partialKey } from './query-key.ts';
import { type HoursDeps, QUERIES_AT_ONCE, sumHour } from './sum-hour.ts';
import { encodeSums } from './sums-body.ts';

/** One call works for so long; what is left is left to the next. */
const WORK_MS = 5_000;
/** Looked for at a time: more than a call gets done. */
const HOURS_AT_MOST = 5_000;
/** Tenants of whom it is remembered that nothing is missing. */
const SETTLED_AT_MOST = 10_000;

interface Wanted {
  kind: PartialKind;
  query: MetricQuery;
  lookbackMs: number;
}

export interface Filled {
  /** Hours that were made, key by key. */
  made: number;
  /** Those still missing; at least. */
  missing: number;
}

interface FillerDeps extends HoursDeps {
  /** Of its own: what it reads must not push out what evaluations read. */
  histories: Histories;
}

/** Makes what is needed of closed hours and not there yet, or no longer valid: the newest hours first. Any number may do so at a time. */
export class HourFiller {
  private readonly deps: FillerDeps;
  /** By tenant: of what nothing was missing. */
  private readonly settled = new Map<string, string>();

  constructor(deps: FillerDeps) {
    this.deps = deps;
  }

  /** Stops early when `signal` aborts. */
  async prepare(tenantId: string, needs: readonly HoursNeed[], signal: AbortSignal): Promise<Filled> {
    if (needs.length === 0) return { made: 0, missing: 0 };
    const wanted = wantedFor(needs);
    const { state, missing } = await withTenantsSql(this.deps.db, [tenantId], async (sql) => {
      const { nowMs, version } = await hoursState(sql, tenantId);
      const [fromMs, toMs] = [oldestHour(nowMs, this.deps.bounds.retentionMs), closedTo(nowMs)];
      const noted = JSON.stringify([toMs, version, [...wanted].map(([key, { lookbackMs }]) => [key, lookbackMs])]);
      await needPartials(
        sql,
        tenantId,
        [...wanted].map(([key, { kind, query }]) => ({ key, kind, query })),
      );
      if (this.settled.get(tenantId) === noted) return { state: noted, missing: [] };
      const ranges = [...wanted].map(([key, { kind, query, lookbackMs }]) => ({
        key,
        fromMs: Math.max(fromMs, hourOf(nowMs - lookbackMs)),
        toMs,
        lookBackMs: kind === 'partial' ? 0 : lookBackOf(query),
      }));
      return { state: noted, missing: await missingPartials(sql, tenantId, ranges, HOURS_AT_MOST) };
    });
    const made = await this.fill(tenantId, wanted, missing, signal);
    if (made === missing.length && made < HOURS_AT_MOST) this.settle(tenantId, state);
    return { made, missing: missing.length - made };
  }

  private settle(tenantId: string, state: string): void {
    this.settled.delete(tenantId);
    this.settled.set(tenantId, state);
    if (this.settled.size <= SETTLED_AT_MOST) return;
    for (const oldest of this.settled.keys()) {
      this.settled.delete(oldest);
      return;
    }
  }

  /** Sums come first: long windows of histories are made of them. Answers how many hours were made. */
  private async fill(
    tenantId: string,
    wanted: ReadonlyMap<string, Wanted>,
    missing: readonly { key: string; hourMs: EpochMs }[],
    signal: AbortSignal,
  ): Promise<number> {
    const untilMs = performance.now() + WORK_MS;
    let made = 0;
    for (const kind of ['partial', 'history'] as const) {
      const ofKind = missing.filter(({ key }) => wanted.get(key)!.kind === kind);
      for (const [hourMs, ofHour] of Map.groupBy(ofKind, (each) => each.hourMs)) {
        for (let at = 0; at < ofHour.length; at += QUERIES_AT_ONCE) {
          if (signal.aborted || performance.now() > untilMs) return made;
          const keys = ofHour.slice(at, at + QUERIES_AT_ONCE).map(({ key }) => key);
          const queries = keys.map((key) => wanted.get(key)!.query);
          const rows =
            kind === 'partial'
              ? await this.sums(tenantId, hourMs, keys, queries, signal)
              : await this.history(tenantId, hourMs, keys, queries, signal);
          await withTenantsSql(this.deps.db, [tenantId], (sql) => storePartials(sql, tenantId, rows));
          made += rows.length;
        }
      }
    }
    return made;
  }

  private async sums(
    tenantId: string,
    hourMs: EpochMs,
    keys: readonly string[],
    queries: readonly MetricQuery[],
    signal: AbortSignal,
  ): Promise<(PartialRow & { key: string })[]> {
    const summed = await sumHour(this.deps, tenantId, hourMs, queries, signal);
    if (summed === null) return [];
    return summed.sums.map((sums, place) => ({ key: keys[place]!, hourMs, version: summed.version, body: encodeSums(sums) }));
  }

  /** Left out: those whose hours changed meanwhile, and those that need sums which are not there. */
  private async history(
    tenantId: string,
    hourMs: EpochMs,
    keys: readonly string[],
    queries: readonly MetricQuery[],
    signal: AbortSignal,
  ): Promise<(PartialRow & { key: string })[]> {
    const before = await this.versions(tenantId, hourMs, queries, signal);
    const hours = [];
    for (const query of queries) hours.push(await this.deps.histories.workOut(tenantId, query, hourMs, signal, 0));
    const after = await this.versions(tenantId, hourMs, queries, signal);
    return hours.flatMap((hour, place) => {
      const version = before[place]!;
      return hour === null || version !== after[place] ? [] : [{ key: keys[place]!, hourMs, version, body: encodeHistory(hour) }];
    });
  }

  /** Of the hours that each query depends on. */
  private versions(tenantId: string, hourMs: EpochMs, queries: readonly MetricQuery[], signal: AbortSignal): Promise<number[]> {
    const fromMs = hourMs - Math.max(...queries.map(lookBackOf));
    return withTenantsCopy(
      this.deps.db,
      [tenantId],
      async (client) => {
        const { versions } = await readHourVersions(client, [{ tenantId, fromMs, toMs: hourMs + HOUR_MS }]);
        return queries.map((query) => versionOf(versions.get(tenantId)!, hourMs - lookBackOf(query), hourMs + HOUR_MS));
      },
      signal,
    );
  }
}

/** By key; where several rules need the same, as far back as any of them. */
function wantedFor(needs: readonly HoursNeed[]): Map<string, Wanted> {
  const wanted = new Map<string, Wanted>();
  const want = (key: string, each: Wanted): void => {
    const known = wanted.get(key);
    if (known === undefined || known.lookbackMs < each.lookbackMs) wanted.set(key, each);
  };
  for (const { kind, query, lookbackMs } of needs) {
    if (kind === 'partial') want(partialKey(query), { kind, query, lookbackMs });
    else {
      want(historyKey(query), { kind, query, lookbackMs });
      if (isLongWindow(query)) want(partialKey(query), { kind: 'partial', query, lookbackMs: lookbackMs + query.windowMs });
    }
  }
  return wanted;
}
