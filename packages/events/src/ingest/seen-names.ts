import type { SeenName } from '@tocsin/db';
import type { EpochMs } from '@tocsin/domain';
import type { EventBounds } from '../bounds.ts';
import type { SegmentBuilder } from '../codec/segment-builder.ts';

interface Known {
  dims: Set<string>;
  measures: Set<string>;
  writtenMs: EpochMs;
}

interface TenantNames {
  names: Map<string, Known>;
  /** Its catalogue was full a moment ago: until then unknown names are not offered again. */
  fullUntilMs: EpochMs;
}

const MINUTE = 60_000;
const HOUR = 60 * MINUTE;
const MAX_TENANTS = 10_000;

/** What this process has already written to the catalogue of event names, so that a usual flush writes nothing there. */
export class SeenNames {
  private readonly tenants = new Map<string, TenantNames>();
  private readonly bounds: EventBounds;

  constructor(bounds: EventBounds) {
    this.bounds = bounds;
  }

  /** Names and fields of these events that the catalogue lacks, and names it has not heard of for an hour. */
  news(tenantId: string, builder: SegmentBuilder, nowMs: EpochMs): SeenName[] {
    const known = this.tenants.get(tenantId);
    if (builder.names.texts.every((name) => isCurrent(known?.names.get(name), builder, nowMs))) return [];
    return namesIn(tenantId, builder).filter((seen) => {
      const before = known?.names.get(seen.name);
      if (before === undefined) return nowMs >= (known?.fullUntilMs ?? 0);
      return (
        nowMs - before.writtenMs > HOUR || this.hasNewField(before.dims, seen.dims) || this.hasNewField(before.measures, seen.measures)
      );
    });
  }

  /** To be called once they are committed; `kept` are those the catalogue had room for. */
  remember(offered: readonly SeenName[], kept: readonly Pick<SeenName, 'tenantId' | 'name'>[], nowMs: EpochMs): void {
    const keptNames = new Set(kept.map(keyOf));
    for (const seen of offered) {
      const tenant = this.tenants.get(seen.tenantId) ?? this.addTenant(seen.tenantId);
      if (keptNames.has(keyOf(seen))) learn(tenant.names, seen, nowMs);
      else tenant.fullUntilMs = nowMs + MINUTE;
    }
  }

  private hasNewField(known: ReadonlySet<string>, seen: readonly string[]): boolean {
    return known.size < this.bounds.fieldsPerName && seen.some((field) => !known.has(field));
  }

  private addTenant(tenantId: string): TenantNames {
    if (this.tenants.size >= MAX_TENANTS) this.tenants.delete(this.tenants.keys().next().value!);
    const tenant = { names: new Map<string, Known>(), fullUntilMs: 0 };
    this.tenants.set(tenantId, tenant);
    return tenant;
  }
}

const keyOf = ({ tenantId, name }: Pick<SeenName, 'tenantId' | 'name'>): string => `${tenantId} ${name}`;

function learn(names: Map<string, Known>, { name, dims, measures }: SeenName, nowMs: EpochMs): void {
  const known = names.get(name) ?? { dims: new Set(), measures: new Set(), writtenMs: nowMs };
  for (const dim of dims) known.dims.add(dim);
  for (const measure of measures) known.measures.add(measure);
  known.writtenMs = nowMs;
  names.set(name, known);
}

function isCurrent(known: Known | undefined, { dims, measures }: SegmentBuilder, nowMs: EpochMs): boolean {
  return (
    known !== undefined &&
    nowMs - known.writtenMs <= HOUR &&
    dims.every(({ name }) => known.dims.has(name)) &&
    measures.every(({ name }) => known.measures.has(name))
  );
}

/** Which fields stand on which name: one look at every cell. */
function namesIn(tenantId: string, { rows, names, dims, measures }: SegmentBuilder): SeenName[] {
  const width = dims.length + measures.length;
  const hasField = new Uint8Array((names.texts.length + 1) * width);
  for (const [place, { column }] of dims.entries()) {
    for (let row = 0; row < rows; row++) if (column.codes[row] !== 0) hasField[names.codes[row]! * width + place] = 1;
  }
  for (const [place, { values }] of measures.entries()) {
    for (let row = 0; row < rows; row++) if (values[row] === values[row]) hasField[names.codes[row]! * width + dims.length + place] = 1;
  }
  const isUsed = new Uint8Array(names.texts.length + 1);
  for (let row = 0; row < rows; row++) isUsed[names.codes[row]!] = 1;
  const onName = (code: number, fields: readonly { name: string }[], from: number): string[] =>
    fields.filter((_, place) => hasField[code * width + from + place] === 1).map(({ name }) => name);
  return names.texts.flatMap((name, index) =>
    isUsed[index + 1] === 0
      ? []
      : [{ tenantId, name, dims: onName(index + 1, dims, 0), measures: onName(index + 1, measures, dims.length) }],
  );
}
