import { zstdDecompressSync } from 'node:zlib';

/** Reads what a `BodyWriter` has written. Throws on what it has not. */
export class BodyReader {
  private readonly bytes: Buffer;
  private at = 0;

  constructor(compressed: Buffer) {
    this.bytes = zstdDecompressSync(compressed);
  }

  whole(): number {
    let value = 0;
    for (let unit = 1; ; unit *= 128) {
      const byte = this.bytes.readUInt8(this.at++);
      value += (byte & 127) * unit;
      if (byte < 128) return value;
    }
  }

  double(): number {
    this.at += 8;
    return this.bytes.readDoubleLE(this.at - 8);
  }

  text(): string {
    const length = this.whole();
    this.at += length;
    return this.bytes.toString('utf8', this.at - length, this.at);
  }
}
