import { copySegments, type CopyClient, type PartialRange, type PartialRow, readHourVersions, withTenantsCopy } from '@tocsin/db';
import { type EpochMs, isLongWindow, type MetricQuery, type QueryResult, type ReadRequest, type WindowedQuery } from '@tocsin/domain';
import type { Segment } from '../codec/decode.ts';
import type { PlannedQuery } from '../read/compile-plan.ts';
import { Plan } from '../read/plan.ts';
import { SeriesRoom } from '../read/series-room.ts';
import { Slab } from '../read/slab.ts';
import { ByteLru } from './byte-lru.ts';
import { closedHoursIn, HOUR_MS, hourOf, hoursIn, oldestHour, versionOf } from './hour.ts';
import { type HourSums, mergeSums, sumsBytes } from './hour-sums.ts';
import { readValid, type Versions } from './kept-hours.ts';
import { partialKey } from './query-key.ts';
import { slices } from './slices.ts';
import { type HoursDeps, QUERIES_AT_ONCE, sumHour, sumsNeeds } from './sum-hour.ts';
import { decodeSums } from './sums-body.ts';

/** So many missing hours are summed up by whoever asks for them: at the turn of an hour nobody waits for house-keeping. */
const MISSING_AT_MOST = 3;
/** Of what was merged, for each series that is answered. */
const MERGED_PER_ANSWERED = 10;

/** The hours `[fromMs, toMs)` of one tenant and key. */
interface Span {
  tenantId: string;
  key: string;
  query: MetricQuery;
  fromMs: EpochMs;
  toMs: EpochMs;
  version: number;
  merged: HourSums | undefined;
  /** Unless it was merged before: what is known, by hour. */
  hours: Map<EpochMs, HourSums>;
  missing: EpochMs[];
}

interface Body extends PartialRow {
  span: Span;
}

/** A part of an hour, before a span. */
interface Edge {
  tenantId: string;
  query: MetricQuery;
  fromMs: EpochMs;
  toMs: EpochMs;
  hasSketch: boolean;
  sums: HourSums | undefined;
}

interface Asked {
  tenantId: string;
  query: WindowedQuery;
  /** Where its answer goes. */
  of: (PlannedQuery | QueryResult)[];
  place: number;
}

interface Share {
  asked: Asked;
  span: Span;
  /** Null: the window begins with an hour. */
  edge: Edge | null;
}

/** Sums of closed hours for windows of more than 6 h: of whole hours from what is kept of them, of the cut first hour from its events. */
export class LongWindows {
  private readonly deps: HoursDeps;
  private readonly hours: ByteLru<HourSums>;
  private readonly merged: ByteLru<{ version: number; sums: HourSums }>;
  /** Of hours that windows begin in. A closed hour's version says whether they are all. */
  private readonly segments: ByteLru<{ version: number; of: Segment[] }>;

  constructor(deps: HoursDeps) {
    this.deps = deps;
    const { hoursCacheBytes } = deps.bounds;
    this.hours = new ByteLru(hoursCacheBytes / 4);
    this.merged = new ByteLru(hoursCacheBytes / 8);
    this.segments = new ByteLru(hoursCacheBytes / 8);
  }

  /**
   * For each query, in the order asked, what is left to be read of it, or why it cannot be answered. All is left of a short window, and of one without
   * a closed hour. More than `missingAtMost` hours that nobody has summed up are waited for.
   */
  async split(
    requests: readonly ReadRequest[],
    signal: AbortSignal,
    missingAtMost: number = MISSING_AT_MOST,
  ): Promise<(PlannedQuery | QueryResult)[][]> {
    const answers = requests.map(({ queries }): (PlannedQuery | QueryResult)[] => [...queries]);
    const asked = requests.flatMap(({ tenantId, queries }, index) =>
      queries.flatMap((query, place) => (isLongWindow(query.query) ? [{ tenantId, query, of: answers[index]!, place }] : [])),
    );
    const tenantIds = [...new Set(asked.map(({ tenantId }) => tenantId))];
    const { shares, edges, spans, bodies, segments } = await withTenantsCopy(
      this.deps.db,
      tenantIds,
      async (client) => {
        const { nowMs, versions } = await readHourVersions(client, rangesOf(asked));
        const divided = this.divide(asked, nowMs, versions);
        const bodies = await this.readHours(client, divided.spans, versions);
        return { ...divided, bodies, segments: await this.readSegments(client, divided.edges, versions) };
      },
      signal,
    );
    const pause = slices(signal);
    for (const { span, hourMs, version, body } of bodies) {
      this.keepHour(span, hourMs, version, decodeSums(body));
      await pause();
    }
    for (const span of spans)
      span.missing = hoursIn(span.fromMs, span.toMs).filter((hourMs) => span.merged === undefined && !span.hours.has(hourMs));
    await this.sumMissing(
      spans.filter(({ missing }) => missing.length <= missingAtMost),
      signal,
    );
    for (const span of spans) {
      if (span.missing.length === 0) this.merge(span);
      await pause();
    }
    for (const ofTenant of Map.groupBy(edges, ({ tenantId }) => tenantId).values()) {
      this.sumEdges(ofTenant, segments);
      await pause();
    }
    for (const share of shares) share.asked.of[share.asked.place] = answerTo(share);
    return answers;
  }

  private divide(
    asked: readonly Asked[],
    nowMs: EpochMs,
    versions: ReadonlyMap<string, Versions>,
  ): { shares: Share[]; spans: Span[]; edges: Edge[] } {
    const spans = new Map<string, Span>();
    const edges = new Map<string, Edge>();
    const oldestMs = oldestHour(nowMs, this.deps.bounds.retentionMs);
    const shares = asked.flatMap((each): Share[] => {
      const { tenantId, query } = each;
      // What is older may be dropped any moment, and is not much.
      const windowFromMs = Math.max(query.endMs - query.query.windowMs, oldestMs - HOUR_MS);
      const { fromMs, toMs } = closedHoursIn({ fromMs: windowFromMs, toMs: query.endMs }, nowMs, this.deps.bounds.retentionMs);
      if (toMs <= fromMs) return [];
      const key = partialKey(query.query);
      const name = `${tenantId} ${key} ${fromMs}`;
      let span = spans.get(`${name} ${toMs}`);
      if (span === undefined) {
        const version = versionOf(versions.get(tenantId)!, fromMs, toMs);
        const known = this.merged.get(`${name} ${toMs}`);
        const merged = known?.version === version ? known.sums : undefined;
        span = { tenantId, key, query: query.query, fromMs, toMs, version, merged, hours: new Map(), missing: [] };
        spans.set(`${name} ${toMs}`, span);
      }
      if (windowFromMs === fromMs) return [{ asked: each, span, edge: null }];
      let edge = edges.get(`${name} ${windowFromMs}`);
      if (edge === undefined) {
        edge = { tenantId, query: query.query, fromMs: windowFromMs, toMs: fromMs, hasSketch: false, sums: undefined };
        edges.set(`${name} ${windowFromMs}`, edge);
      }
      edge.hasSketch ||= !NEED_NO_SKETCH.has(query.query.aggregation);
      return [{ asked: each, span, edge }];
    });
    return { shares, spans: [...spans.values()], edges: [...edges.values()] };
  }

  /** What is kept of the hours that are not in memory; opened later, when no transaction waits for it. */
  private async readHours(client: CopyClient, spans: readonly Span[], versions: ReadonlyMap<string, Versions>): Promise<Body[]> {
    const spanOf = new Map<PartialRange, Span>();
    for (const span of spans) {
      if (span.merged !== undefined) continue;
      const unread = hoursIn(span.fromMs, span.toMs).filter((hourMs) => {
        const known = this.hours.get(hourName(span, hourMs, versions.get(span.tenantId)!.get(hourMs) ?? 0));
        if (known !== undefined) span.hours.set(hourMs, known);
        return known === undefined;
      });
      if (unread.length === 0) continue;
      const { tenantId, key } = span;
      spanOf.set({ tenantId, key, fromMs: unread[0]!, toMs: unread.at(-1)! + HOUR_MS }, span);
    }
    const bodies: Body[] = [];
    await readValid(client, [...spanOf.keys()], versions, (range, row) => {
      const span = spanOf.get(range)!;
      if (!span.hours.has(row.hourMs)) bodies.push({ span, ...row });
    });
    return bodies;
  }

  private async readSegments(
    client: CopyClient,
    edges: readonly Edge[],
    versions: ReadonlyMap<string, Versions>,
  ): Promise<Map<string, Segment[]>> {
    const found = new Map<string, Segment[]>();
    const unread = new Map<string, { tenantId: string; fromMs: EpochMs; toMs: EpochMs; version: number }>();
    for (const { tenantId, fromMs, toMs } of edges) {
      for (const hourMs of hoursIn(hourOf(fromMs), toMs)) {
        const name = `${tenantId} ${hourMs}`;
        const version = versions.get(tenantId)!.get(hourMs) ?? 0;
        const known = this.segments.get(name);
        if (known?.version === version) found.set(name, known.of);
        else unread.set(name, { tenantId, fromMs: hourMs, toMs: hourMs + HOUR_MS, version });
      }
    }
    for (const name of unread.keys()) found.set(name, []);
    const slab = new Slab();
    await copySegments(client, 'events', [...unread.values()], null, (tenantId, bytes, _key, from, to) => {
      const segment = slab.open(bytes, from, to);
      found.get(`${tenantId} ${hourOf(segment.minTs)}`)!.push(segment);
    });
    for (const [name, { version }] of unread) {
      const of = found.get(name)!;
      this.segments.set(
        name,
        { version, of },
        of.reduce((bytes, segment) => bytes + segment.byteLength, 200),
      );
    }
    return found;
  }

  /**
   * Sums up missing hours, each once for all who miss it. What is summed up now may be of a later version than what was read: it is good for this answer,
   * and the next one looks again.
   */
  private async sumMissing(spans: readonly Span[], signal: AbortSignal): Promise<void> {
    const missing = spans.flatMap((span) => span.missing.map((hourMs) => ({ span, hourMs })));
    for (const ofHour of Map.groupBy(missing, ({ span, hourMs }) => `${span.tenantId} ${hourMs}`).values()) {
      const [{ span: first, hourMs }] = ofHour as [(typeof ofHour)[number]];
      for (let at = 0; at < ofHour.length; at += QUERIES_AT_ONCE) {
        const some = ofHour.slice(at, at + QUERIES_AT_ONCE).map(({ span }) => span);
        const queries = some.map(({ query }) => query);
        const summed = await sumHour(this.deps, first.tenantId, hourMs, queries, signal);
        for (const [place, span] of summed === null ? [] : some.entries())
          this.keepHour(span, hourMs, summed!.version, summed!.sums[place]!);
      }
    }
    for (const span of spans) span.missing = span.missing.filter((hourMs) => !span.hours.has(hourMs));
  }

  private keepHour(span: Span, hourMs: EpochMs, version: number, sums: HourSums): void {
    span.hours.set(hourMs, sums);
    this.hours.set(hourName(span, hourMs, version), sums, sumsBytes(sums));
  }

  private merge(span: Span): void {
    if (span.merged !== undefined) return;
    const sums = mergeSums([...span.hours.values()], this.deps.bounds.seriesPerQuery * MERGED_PER_ANSWERED);
    span.merged = sums;
    const { tenantId, key, fromMs, toMs, version } = span;
    this.merged.set(`${tenantId} ${key} ${fromMs} ${toMs}`, { version, sums }, sumsBytes(sums));
  }

  /** One pass for all of a tenant's. */
  private sumEdges(edges: readonly Edge[], segments: ReadonlyMap<string, Segment[]>): void {
    const planned = edges.map(({ query, fromMs, toMs, hasSketch }) => ({
      query,
      fromMs,
      endMs: toMs,
      needs: sumsNeeds(query.subject, hasSketch),
    }));
    const plan = new Plan(planned, new SeriesRoom(this.deps.bounds.seriesPerRead));
    const hours = new Set(
      edges.flatMap(({ tenantId, fromMs, toMs }) => hoursIn(hourOf(fromMs), toMs).map((hourMs) => `${tenantId} ${hourMs}`)),
    );
    for (const hour of hours) for (const segment of segments.get(hour)!) plan.add(segment);
    const sums = plan.sums(this.deps.bounds.seriesPerQuery * MERGED_PER_ANSWERED);
    for (const [place, edge] of edges.entries()) edge.sums = sums[place];
  }
}

const NEED_NO_SKETCH: ReadonlySet<string> = new Set(['sum', 'avg', 'count', 'rate']);

const hourName = ({ tenantId, key }: Span, hourMs: EpochMs, version: number): string => `${tenantId} ${key} ${hourMs} ${version}`;

function answerTo({ asked: { query }, span: { merged, missing, toMs }, edge }: Share): PlannedQuery | QueryResult {
  if (merged === undefined) return { kind: 'warming', missingHours: missing.length };
  const sums = edge === null ? [merged] : [merged, edge.sums!];
  if (sums.every(({ hasTooMany }) => !hasTooMany)) return { ...query, fromMs: toMs, sums };
  return { kind: 'failed', code: 'too_many_series', message: 'in one hour the query looks at more series than fit into memory' };
}

/** One for each tenant: where the versions of its hours have to be looked at. */
function rangesOf(asked: readonly Asked[]): { tenantId: string; fromMs: EpochMs; toMs: EpochMs }[] {
  return [...Map.groupBy(asked, ({ tenantId }) => tenantId)].map(([tenantId, queries]) => ({
    tenantId,
    fromMs: hourOf(queries.reduce((from, { query }) => Math.min(from, query.endMs - query.query.windowMs), Infinity)),
    toMs: queries.reduce((to, { query }) => Math.max(to, query.endMs), -Infinity),
  }));
}
