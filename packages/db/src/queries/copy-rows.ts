import type pg from 'pg';
import { to as copyTo } from 'pg-copy-streams';

/** A row of a binary COPY: `bytes` holds it, `ends` says where each field ends. Both are used again: copy what is to stay. */
export type OnRow = (bytes: Buffer, ends: readonly number[]) => void;

/** Between the end of a field and the start of the next one: its length. */
export const FIELD_HEADER_BYTES = 4;

const SIGNATURE_BYTES = 11;
const END_OF_DATA = -1;

/**
 * Runs `select` as `COPY … TO STDOUT (FORMAT binary)` and hands on each row, none of whose fields may be null.
 * The select takes no parameters.
 */
export async function copyRows(client: pg.PoolClient, select: string, onRow: OnRow): Promise<void> {
  const stream = client.query(copyTo(`copy (${select}) to stdout (format binary)`));
  const parser = new RowParser(onRow);
  for await (const chunk of stream) parser.push(chunk as Buffer);
}

class RowParser {
  private readonly onRow: OnRow;
  private readonly ends: number[] = [];
  private waiting: Buffer[] = [];
  private waitingBytes = 0;
  /** Bytes without which nothing more can be read: keeps a large row from being joined again for every chunk. */
  private needed = SIGNATURE_BYTES + 8;
  private headerSeen = false;

  constructor(onRow: OnRow) {
    this.onRow = onRow;
  }

  push(chunk: Buffer): void {
    this.waiting.push(chunk);
    this.waitingBytes += chunk.length;
    if (this.waitingBytes < this.needed) return;
    const bytes = this.waiting.length === 1 ? chunk : Buffer.concat(this.waiting, this.waitingBytes);
    let at = 0;
    if (!this.headerSeen) {
      at = SIGNATURE_BYTES + 8 + bytes.readInt32BE(SIGNATURE_BYTES + 4);
      this.headerSeen = true;
    }
    at = this.readRows(bytes, at);
    const rest = bytes.subarray(at);
    this.waiting = rest.length === 0 ? [] : [rest];
    this.waitingBytes = rest.length;
  }

  /** Hands on all whole rows and answers where the first unfinished one starts. */
  private readRows(bytes: Buffer, from: number): number {
    for (let row = from; ;) {
      if (row + 2 > bytes.length) return this.wait(row, row + 2);
      const fieldCount = bytes.readInt16BE(row);
      if (fieldCount === END_OF_DATA) return this.wait(bytes.length, Infinity);
      let at = row + 2;
      for (let field = 0; field < fieldCount; field++) {
        if (at + FIELD_HEADER_BYTES > bytes.length) return this.wait(row, at + FIELD_HEADER_BYTES);
        const length = bytes.readInt32BE(at);
        if (length < 0) throw new Error('copyRows cannot read null');
        at += FIELD_HEADER_BYTES + length;
        if (at > bytes.length) return this.wait(row, at);
        this.ends[field] = at;
      }
      this.onRow(bytes, this.ends);
      row = at;
    }
  }

  private wait(row: number, end: number): number {
    this.needed = end - row;
    return row;
  }
}
