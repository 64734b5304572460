import { type CopyClient, type PartialRange, type PartialRow, readHourVersions, readPartials, withTenantsCopy } from '@tocsin/db';
import type { EpochMs, MetricQuery } from '@tocsin/domain';
import { closedHoursIn } from './hour.ts';
import { partialKey } from './query-key.ts';
import type { HoursDeps } from './sum-hour.ts';

/** By hour; those that are at 0 are left out. */
export type Versions = ReadonlyMap<EpochMs, number>;

/** Time of which it would do to know the sums of whole hours. */
export interface WantedHours {
  query: MetricQuery;
  fromMs: EpochMs;
  toMs: EpochMs;
}

export interface KeptHour<W> {
  of: W;
  hourMs: EpochMs;
  /** To be opened when it is its turn: of many hours there is much. */
  body: Buffer;
}

/** The kept sums that are those of their hours as they are now, by the versions that the same snapshot has. */
export async function readValid(
  client: CopyClient,
  ranges: readonly PartialRange[],
  versions: ReadonlyMap<string, Versions>,
  onHour: (range: PartialRange, row: PartialRow) => void,
): Promise<void> {
  await readPartials(client, ranges, (range, row) => {
    if (row.version === (versions.get(range.tenantId)!.get(row.hourMs) ?? 0)) onHour(range, row);
  });
}

/** What is kept of hours that a tenant's ranges hold whole, from one snapshot. Nothing is summed up for it: of the other hours the events are read. */
export async function keptHours<W extends WantedHours>(
  { db, bounds }: HoursDeps,
  tenantId: string,
  wanted: readonly W[],
  signal: AbortSignal,
): Promise<KeptHour<W>[]> {
  const found: KeptHour<W>[] = [];
  const whole = {
    tenantId,
    fromMs: wanted.reduce((from, { fromMs }) => Math.min(from, fromMs), Infinity),
    toMs: wanted.reduce((to, { toMs }) => Math.max(to, toMs), -Infinity),
  };
  await withTenantsCopy(
    db,
    [tenantId],
    async (client) => {
      const { nowMs, versions } = await readHourVersions(client, [whole]);
      const of = new Map<PartialRange, W>();
      for (const each of wanted) {
        const { fromMs, toMs } = closedHoursIn(each, nowMs, bounds.retentionMs);
        if (fromMs < toMs) of.set({ tenantId, key: partialKey(each.query), fromMs, toMs }, each);
      }
      await readValid(client, [...of.keys()], versions, (range, { hourMs, body }) => found.push({ of: of.get(range)!, hourMs, body }));
    },
    signal,
  );
  return found;
}
