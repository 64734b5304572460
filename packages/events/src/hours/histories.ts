import { type Database, type PartialRange, type PartialRow, readHourVersions, readPartials, withTenantsCopy } from '@tocsin/db';
import {
  type EpochMs,
  HISTORY_STEP_MS,
  type HistoryQuery,
  type HistoryRequest,
  type HistoryResult,
  type HistorySource,
  isLongWindow,
  type MetricQuery,
  type QueryResult,
  type SeriesHistory,
  type SeriesReading,
  type WindowedQuery,
} from '@tocsin/domain';
import type { EventBounds } from '../bounds.ts';
import { ByteLru } from './byte-lru.ts';
import { closedTo, HOUR_MS, hoursIn, lookBackOf, versionOf } from './hour.ts';
import { decodeHistory, type HourHistory, historyBytes, type HourOfSeries, STEPS } from './hour-history.ts';
import { historyKey } from './query-key.ts';
import type { ReadWithHours } from './read-with-hours.ts';
import { slices } from './slices.ts';

/** So many missing hours are worked out by whoever asks for them. */
const MISSING_AT_MOST = 3;
/** Windows of one read hold so much time together: their values are in memory at once. */
const READ_AT_ONCE_MS = 12 * HOUR_MS;

interface HistoriesDeps {
  db: Database;
  bounds: Pick<EventBounds, 'seriesPerQuery' | 'hoursCacheBytes'>;
  read: ReadWithHours;
}

interface Asked extends HistoryQuery {
  tenantId: string;
  key: string;
}

/** What is known of one query's past. */
interface Found {
  asked: Asked;
  /** Of all hours it depends on. */
  version: number;
  /** Whether all of its hours are closed. */
  isClosed: boolean;
  hours: Map<EpochMs, HourHistory>;
  whole: HistoryResult | undefined;
}

/** The past of queries from what is kept of closed hours; what is decoded and joined is kept in memory as long as no hour of it changes. */
export class Histories implements HistorySource {
  private readonly deps: HistoriesDeps;
  private readonly hours: ByteLru<HourHistory>;
  private readonly whole: ByteLru<{ version: number; result: HistoryResult }>;

  constructor(deps: HistoriesDeps) {
    this.deps = deps;
    this.hours = new ByteLru(deps.bounds.hoursCacheBytes / 4);
    this.whole = new ByteLru(deps.bounds.hoursCacheBytes / 4);
  }

  async history(
    requests: readonly HistoryRequest[],
    signal: AbortSignal,
    { compute = false }: { compute?: boolean } = {},
  ): Promise<HistoryResult[][]> {
    const asked = requests.map(({ tenantId, queries }) =>
      queries.map((query): Asked => ({ ...query, tenantId, key: historyKey(query.query) })),
    );
    const found = await this.find(asked.flat(), signal);
    const results = new Map<Asked, HistoryResult>();
    for (const each of found) results.set(each.asked, each.whole ?? (await this.complete(each, compute, signal)));
    return asked.map((ofTenant) => ofTenant.map((each) => results.get(each)!));
  }

  /**
   * What the query was worth at the steps of the hour, as a source would have answered. `missingAtMost`, for windows of more than 6 h: hours that
   * are summed up for it; null where more are missing. Not read in one snapshot: the hours' versions have to be the same before and after.
   */
  async workOut(
    tenantId: string,
    query: MetricQuery,
    hourMs: EpochMs,
    signal: AbortSignal,
    missingAtMost?: number,
  ): Promise<HourHistory | null> {
    const windows = isLongWindow(query) ? [STEPS - 1] : Array.from({ length: STEPS }, (_, step) => step);
    const atOnce = Math.max(1, Math.floor(READ_AT_ONCE_MS / query.windowMs));
    const gathered = new Gathered(query.groupBy);
    for (let at = 0; at < windows.length; at += atOnce) {
      const steps = windows.slice(at, at + atOnce);
      const queries = steps.map((step): WindowedQuery => ({ query, endMs: hourMs + (step + 1) * HISTORY_STEP_MS }));
      const [results] = await this.deps.read([{ tenantId, queries }], signal, missingAtMost === undefined ? {} : { missingAtMost });
      for (const [place, result] of results!.entries()) {
        if (result.kind === 'warming') return null;
        gathered.add(steps[place]!, result);
      }
    }
    return gathered.hour(this.deps.bounds.seriesPerQuery);
  }

  private async find(asked: readonly Asked[], signal: AbortSignal): Promise<Found[]> {
    if (asked.length === 0) return [];
    const tenantIds = [...new Set(asked.map(({ tenantId }) => tenantId))];
    const { found, bodies } = await withTenantsCopy(
      this.deps.db,
      tenantIds,
      async (client) => {
        const { nowMs, versions } = await readHourVersions(client, rangesOf(asked));
        const found = asked.map((each): Found => {
          const version = versionOf(versions.get(each.tenantId)!, dependsFrom(each), each.toMs);
          const known = this.whole.get(wholeName(each));
          const isClosed = each.toMs <= closedTo(nowMs);
          return { asked: each, version, isClosed, hours: new Map(), whole: known?.version === version ? known.result : undefined };
        });
        const unread = new Map<PartialRange, Found>();
        for (const each of found) {
          const { tenantId, key, fromMs, toMs } = each.asked;
          if (each.whole === undefined) unread.set({ tenantId, key, fromMs, toMs }, each);
        }
        const bodies: (PartialRow & { of: Found })[] = [];
        await readPartials(client, [...unread.keys()], (range, row) => {
          const of = unread.get(range)!;
          const fromMs = dependsFrom({ ...of.asked, fromMs: row.hourMs });
          if (row.version === versionOf(versions.get(of.asked.tenantId)!, fromMs, row.hourMs + HOUR_MS)) bodies.push({ of, ...row });
        });
        return { found, bodies };
      },
      signal,
    );
    const pause = slices(signal);
    for (const { of, hourMs, version, body } of bodies) {
      of.hours.set(hourMs, this.decoded(of.asked, hourMs, version, body));
      await pause();
    }
    return found;
  }

  private decoded({ tenantId, key }: Asked, hourMs: EpochMs, version: number, body: Buffer): HourHistory {
    const name = `${tenantId} ${key} ${hourMs} ${version}`;
    let hour = this.hours.get(name);
    if (hour === undefined) {
      hour = decodeHistory(body);
      this.hours.set(name, hour, historyBytes(hour));
    }
    return hour;
  }

  private async complete({ asked, version, isClosed, hours }: Found, compute: boolean, signal: AbortSignal): Promise<HistoryResult> {
    const { tenantId, query, fromMs, toMs } = asked;
    const missing = hoursIn(fromMs, toMs).filter((hourMs) => !hours.has(hourMs));
    if (!compute && missing.length > MISSING_AT_MOST) return { kind: 'warming', missingHours: missing.length };
    for (const [place, hourMs] of missing.entries()) {
      const hour = await this.workOut(tenantId, query, hourMs, signal, compute ? Infinity : undefined);
      if (hour === null) return { kind: 'warming', missingHours: missing.length - place };
      hours.set(hourMs, hour);
    }
    const result = joined(asked, hours, this.deps.bounds.seriesPerQuery);
    // What was worked out just now may be of a later version already: then nobody asks for this one any more.
    if (isClosed) {
      const bytes = result.kind === 'history' ? result.series.reduce((sum, { values }) => sum + 400 + 16 * values.length, 200) : 200;
      this.whole.set(wholeName(asked), { version, result }, bytes);
    }
    return result;
  }
}

/** The steps of an hour as the windows of one query are answered. */
class Gathered {
  private readonly groupBy: readonly string[];
  private readonly series = new Map<string, HourOfSeries>();
  private dropped = 0;
  private failure: HourHistory['failure'] = null;

  constructor(groupBy: readonly string[]) {
    this.groupBy = groupBy;
  }

  add(step: number, result: Exclude<QueryResult, { kind: 'warming' }>): void {
    if (result.kind === 'failed') this.failure ??= { code: result.code, message: result.message };
    else {
      this.dropped = Math.max(this.dropped, result.dropped);
      for (const reading of result.series) this.note(step, reading);
    }
  }

  hour(maxSeries: number): HourHistory {
    const { dropped, failure } = this;
    if (failure !== null) return { series: [], dropped, failure };
    const series = [...this.series.values()];
    const left = Math.max(0, series.length - maxSeries);
    return { series: left === 0 ? series : mostSamples(series, maxSeries), dropped: dropped + left, failure: null };
  }

  private note(step: number, { labels, value, samples }: SeriesReading): void {
    const values = this.groupBy.map((dim) => labels[dim] ?? '');
    const key = JSON.stringify(values);
    let series = this.series.get(key);
    if (series === undefined) {
      series = { values, readings: new Float64Array(STEPS).fill(NaN), samples: new Float64Array(STEPS) };
      this.series.set(key, series);
    }
    series.readings[step] = value ?? NaN;
    series.samples[step] = samples;
  }
}

function joined({ query, fromMs, toMs }: Asked, hours: ReadonlyMap<EpochMs, HourHistory>, maxSeries: number): HistoryResult {
  const steps = (toMs - fromMs) / HISTORY_STEP_MS;
  const found = new Map<string, { values: readonly string[]; readings: Float64Array; samples: Float64Array }>();
  let dropped = 0;
  for (const [hourMs, hour] of hours) {
    if (hour.failure !== null) return { kind: 'failed', ...hour.failure };
    dropped = Math.max(dropped, hour.dropped);
    const at = (hourMs - fromMs) / HISTORY_STEP_MS;
    for (const { values, readings, samples } of hour.series) {
      const key = JSON.stringify(values);
      let series = found.get(key);
      if (series === undefined) {
        series = { values, readings: new Float64Array(steps).fill(NaN), samples: new Float64Array(steps) };
        found.set(key, series);
      }
      series.readings.set(readings, at);
      series.samples.set(samples, at);
    }
  }
  const left = Math.max(0, found.size - maxSeries);
  const kept = left === 0 ? [...found.values()] : mostSamples([...found.values()], maxSeries);
  const labelsOf = (values: readonly string[]) => Object.fromEntries(query.groupBy.map((dim, place) => [dim, values[place]!]));
  const series = kept.map(({ values, readings, samples }): SeriesHistory => ({ labels: labelsOf(values), values: readings, samples }));
  return { kind: 'history', series, dropped: dropped + left };
}

function mostSamples<T extends { values: readonly string[]; samples: Float64Array }>(series: readonly T[], atMost: number): T[] {
  const counted = series.map((each) => ({
    each,
    key: JSON.stringify(each.values),
    total: each.samples.reduce((sum, count) => sum + count, 0),
  }));
  return counted
    .sort((a, b) => b.total - a.total || (a.key < b.key ? -1 : 1))
    .slice(0, atMost)
    .map(({ each }) => each);
}

/** The first window's beginning. */
const dependsFrom = ({ query, fromMs }: HistoryQuery): EpochMs => fromMs - lookBackOf(query);

const wholeName = ({ tenantId, key, fromMs, toMs }: Asked): string => `${tenantId} ${key} ${fromMs} ${toMs}`;

function rangesOf(asked: readonly Asked[]): { tenantId: string; fromMs: EpochMs; toMs: EpochMs }[] {
  return [...Map.groupBy(asked, ({ tenantId }) => tenantId)].map(([tenantId, queries]) => ({
    tenantId,
    fromMs: queries.reduce((from, each) => Math.min(from, dependsFrom(each)), Infinity),
    toMs: queries.reduce((to, { toMs: end }) => Math.max(to, end), -Infinity),
  }));
}
