/** A growing buffer that many segments are written into, one after another, each on an 8-byte boundary. */
export class ByteSink {
  bytes: Buffer<ArrayBuffer>;
  view: DataView;
  length = 0;

  constructor(capacity: number) {
    this.bytes = Buffer.from(new ArrayBuffer(capacity));
    this.view = new DataView(this.bytes.buffer);
  }

  /** Makes room for `count` more bytes, aligned to `alignment`, and returns where they start. The gap is zero. */
  take(count: number, alignment: number): number {
    const start = Math.ceil(this.length / alignment) * alignment;
    const end = start + count;
    if (end > this.bytes.length) this.grow(end);
    // The buffer is reused: what an earlier segment left in a gap would make equal segments differ.
    if (start > this.length) this.bytes.fill(0, this.length, start);
    this.length = end;
    return start;
  }

  /** Appends a text: its length in UTF-8 bytes as LEB128, then the bytes. */
  writeText(text: string): void {
    const most = text.length * 3;
    const at = this.take(most + 5, 1);
    let length = most < 128 ? this.bytes.write(text, at + 1, 'utf8') : Buffer.byteLength(text, 'utf8');
    let start = at;
    const total = length;
    for (; length > 127; length = Math.floor(length / 128)) this.bytes[start++] = (length % 128) | 128;
    this.bytes[start++] = length;
    if (most >= 128) this.bytes.write(text, start, 'utf8');
    this.length = start + total;
  }

  reset(): void {
    this.length = 0;
  }

  private grow(needed: number): void {
    const bytes = Buffer.from(new ArrayBuffer(Math.max(needed, this.bytes.length * 2)));
    bytes.set(this.bytes.subarray(0, this.length));
    this.bytes = bytes;
    this.view = new DataView(bytes.buffer);
  }
}
