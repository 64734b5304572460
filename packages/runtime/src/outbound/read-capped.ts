import type { Readable } from 'node:stream';

/** Reads up to `limit` bytes and hangs up on the rest. Bytes that are not UTF-8 become U+FFFD. */
export async function readCapped(stream: Readable, limit: number): Promise<{ body: string; truncated: boolean }> {
  const chunks: Buffer[] = [];
  let size = 0;
  for await (const chunk of stream as AsyncIterable<Buffer>) {
    chunks.push(chunk.subarray(0, limit - size));
    size += chunk.length;
    if (size > limit) return { body: Buffer.concat(chunks).toString('utf8'), truncated: true };
  }
  return { body: Buffer.concat(chunks).toString('utf8'), truncated: false };
}
