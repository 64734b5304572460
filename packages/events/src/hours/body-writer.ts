import { constants, zstdCompressSync } from 'node:zlib';

const LEVEL = { params: { [constants.ZSTD_c_compressionLevel]: 6 } };

/** Writes numbers and texts one after the other; `BodyReader` reads them in the same order. */
export class BodyWriter {
  private bytes = Buffer.allocUnsafe(256);
  private length = 0;

  /** A whole number from 0 to 2^53 − 1, in LEB128. */
  whole(value: number): void {
    this.ensure(8);
    let rest = value;
    for (; rest > 127; rest = Math.floor(rest / 128)) this.bytes[this.length++] = (rest % 128) | 128;
    this.bytes[this.length++] = rest;
  }

  double(value: number): void {
    this.ensure(8);
    this.length = this.bytes.writeDoubleLE(value, this.length);
  }

  text(text: string): void {
    const length = Buffer.byteLength(text, 'utf8');
    this.whole(length);
    this.ensure(length);
    this.length += this.bytes.write(text, this.length, 'utf8');
  }

  compressed(): Buffer {
    return zstdCompressSync(this.bytes.subarray(0, this.length), LEVEL);
  }

  private ensure(count: number): void {
    if (this.length + count <= this.bytes.length) return;
    const bytes = Buffer.allocUnsafe(Math.max(this.length + count, this.bytes.length * 2));
    bytes.set(this.bytes.subarray(0, this.length));
    this.bytes = bytes;
  }
}
