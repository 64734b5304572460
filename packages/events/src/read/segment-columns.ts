import type { Segment, TextColumnView } from '../codec/decode.ts';

/** The columns of the segment at hand, each read once however many queries need it. */
export class SegmentColumns {
  segment!: Segment;
  private readonly dims = new Map<string, TextColumnView | null>();
  private readonly measures = new Map<string, { values: Float64Array; isRead: boolean; isPresent: boolean }>();
  private names: TextColumnView | null = null;
  private readonly timestamps = { values: new Float64Array(0), isRead: false };

  open(segment: Segment): void {
    this.segment = segment;
    this.dims.clear();
    this.names = null;
    this.timestamps.isRead = false;
    // Measures are named by tenants: what is remembered of them must not grow with the process.
    if (this.measures.size > 64) this.measures.clear();
    for (const measure of this.measures.values()) measure.isRead = false;
  }

  name(): TextColumnView {
    return (this.names ??= this.segment.names());
  }

  /** Null when no event has it. */
  dim(name: string): TextColumnView | null {
    const known = this.dims.get(name);
    if (known !== undefined) return known;
    const read = this.segment.dim(name);
    this.dims.set(name, read);
    return read;
  }

  /** NaN where an event lacks it; null when every event does. */
  measure(name: string): Float64Array | null {
    let known = this.measures.get(name);
    if (known === undefined) {
      known = { values: new Float64Array(0), isRead: false, isPresent: false };
      this.measures.set(name, known);
    }
    if (!known.isRead) {
      const { rows } = this.segment;
      if (known.values.length < rows) known.values = new Float64Array(rows * 2);
      known.isPresent = this.segment.readMeasure(name, known.values);
      known.isRead = true;
    }
    return known.isPresent ? known.values : null;
  }

  times(): Float64Array {
    const { timestamps } = this;
    if (!timestamps.isRead) {
      if (timestamps.values.length < this.segment.rows) timestamps.values = new Float64Array(this.segment.rows * 2);
      this.segment.readTimestamps(timestamps.values);
      timestamps.isRead = true;
    }
    return timestamps.values;
  }
}
