import type { SeenName } from '@tocsin/db';
import type { EpochMs } from '@tocsin/domain';
import type { EventBounds } from '../bounds.ts';
import type { SegmentBuilder } from '../codec/segment-builder.ts';

interface Known {
  dims: Set<string>;
  measures: Set<string>;
  writtenMs: EpochMs;
}

const HOUR = 3_600_000;
const MAX_TENANTS = 10_000;

/** What this process has already written to the catalogue of event names, so that a usual flush writes nothing there. */
export class SeenNames {
  private readonly tenants = new Map<string, Map<string, Known>>();
  private readonly bounds: EventBounds;

  constructor(bounds: EventBounds) {
    this.bounds = bounds;
  }

  /** Names and fields of these events that the catalogue lacks, and names it has not heard of for an hour. */
  news(tenantId: string, builder: SegmentBuilder, nowMs: EpochMs): SeenName[] {
    const known = this.tenants.get(tenantId);
    if (builder.names.texts.every((name) => isCurrent(known?.get(name), builder, nowMs))) return [];
    return namesIn(tenantId, builder).filter((seen) => {
      const before = known?.get(seen.name);
      if (before === undefined) return (known?.size ?? 0) < this.bounds.namesPerTenant;
      return (
        nowMs - before.writtenMs > HOUR || this.hasNewField(before.dims, seen.dims) || this.hasNewField(before.measures, seen.measures)
      );
    });
  }

  /** To be called once they are committed. */
  remember(written: readonly SeenName[], nowMs: EpochMs): void {
    for (const { tenantId, name, dims, measures } of written) {
      const names = this.tenants.get(tenantId) ?? this.addTenant(tenantId);
      const known = names.get(name) ?? { dims: new Set(), measures: new Set(), writtenMs: nowMs };
      for (const dim of dims) known.dims.add(dim);
      for (const measure of measures) known.measures.add(measure);
      known.writtenMs = nowMs;
      names.set(name, known);
    }
  }

  private hasNewField(known: ReadonlySet<string>, seen: readonly string[]): boolean {
    return known.size < this.bounds.fieldsPerName && seen.some((field) => !known.has(field));
  }

  private addTenant(tenantId: string): Map<string, Known> {
    if (this.tenants.size >= MAX_TENANTS) this.tenants.delete(this.tenants.keys().next().value!);
    const names = new Map<string, Known>();
    this.tenants.set(tenantId, names);
    return names;
  }
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
