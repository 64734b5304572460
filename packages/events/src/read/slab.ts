const SLAB_BYTES = 256 * 1024;

/** Keeps copies of segments side by side, each on an 8-byte boundary as the codec wants it: a buffer for each would cost more than the copy. */
export class Slab {
  private slab = Buffer.alloc(0) as Buffer<ArrayBuffer>;
  private used = 0;

  keep(data: Buffer): Buffer<ArrayBuffer> {
    if (this.used + data.length > this.slab.length) {
      this.slab = Buffer.from(new ArrayBuffer(Math.max(SLAB_BYTES, data.length)));
      this.used = 0;
    }
    const kept = this.slab.subarray(this.used, this.used + data.length);
    data.copy(kept);
    this.used = Math.ceil((this.used + data.length) / 8) * 8;
    return kept;
  }
}
