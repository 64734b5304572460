import { ByteViews } from '../codec/byte-views.ts';
import { Segment } from '../codec/decode.ts';

const SLAB_BYTES = 256 * 1024;

/** Opens segments on copies that lie side by side: a buffer for each would cost more than the copy. */
export class Slab {
  private views = new ByteViews(0);
  private used = 0;

  /** Opens the segment in `bytes[from, to)`, which may be overwritten afterwards. */
  open(bytes: Buffer, from: number, to: number): Segment {
    const length = to - from;
    if (this.used + length > this.views.bytes.length) {
      this.views = new ByteViews(Math.max(SLAB_BYTES, length));
      this.used = 0;
    }
    const offset = this.used;
    bytes.copy(this.views.bytes, offset, from, to);
    this.used = Math.ceil((offset + length) / 8) * 8;
    return new Segment(this.views, offset, length);
  }
}
