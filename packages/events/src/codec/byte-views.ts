/** What the buffer and its views cost beside their bytes. */
export const VIEWS_BYTES = 700;

/** One buffer as bytes and as wider elements, so that the segments in it need no views of their own. Its length is a multiple of 8. */
export class ByteViews {
  readonly bytes: Buffer<ArrayBuffer>;
  readonly uint16: Uint16Array<ArrayBuffer>;
  readonly uint32: Uint32Array<ArrayBuffer>;
  readonly float32: Float32Array<ArrayBuffer>;
  readonly float64: Float64Array<ArrayBuffer>;

  constructor(capacity: number) {
    const buffer = new ArrayBuffer(Math.ceil(capacity / 8) * 8);
    this.bytes = Buffer.from(buffer);
    this.uint16 = new Uint16Array(buffer);
    this.uint32 = new Uint32Array(buffer);
    this.float32 = new Float32Array(buffer);
    this.float64 = new Float64Array(buffer);
  }
}
