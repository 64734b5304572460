import { ByteViews, VIEWS_BYTES } from '../codec/byte-views.ts';
import { Segment } from '../codec/decode.ts';

const MOST_BYTES = 256 * 1024;

/**
 * Opens segments on copies that lie side by side: a buffer for each would cost more than the copy. A kept segment keeps its whole buffer, so the
 * first is as large as its segment and each next one as large as all before it: what is held is at most twice what was asked for.
 */
export class Slab {
  private views = new ByteViews(0);
  private used = 0;
  private heldBytes = 0;

  /** Opens the segment in `bytes[from, to)`, which may be overwritten afterwards. */
  open(bytes: Buffer, from: number, to: number): Segment {
    const length = to - from;
    const isFull = this.used + length > this.views.bytes.length;
    if (isFull) {
      this.views = new ByteViews(Math.max(Math.min(this.heldBytes, MOST_BYTES), length));
      this.heldBytes += this.views.bytes.length;
      this.used = 0;
    }
    const offset = this.used;
    bytes.copy(this.views.bytes, offset, from, to);
    this.used = Math.ceil((offset + length) / 8) * 8;
    return new Segment(this.views, offset, length, isFull ? VIEWS_BYTES : 0);
  }
}
