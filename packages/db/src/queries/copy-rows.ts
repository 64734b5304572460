import type pg from 'pg';

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
export function copyRows(client: pg.PoolClient, select: string, onRow: OnRow): Promise<void> {
  return new Promise((resolve, reject) => {
    client.query(new CopyQuery(`copy (${select}) to stdout (format binary)`, onRow, resolve, reject));
  });
}

/**
 * A query as the driver runs it, with the driver's handlers. The server sends one message a row, which the driver hands on whole and where it
 * lies: rows as a stream of bytes would have to be found and joined once more.
 */
class CopyQuery implements pg.Submittable {
  private readonly text: string;
  private readonly onRow: OnRow;
  private readonly resolve: () => void;
  private readonly reject: (error: unknown) => void;
  private readonly ends: number[] = [];
  private headerSeen = false;
  private hasFailed = false;

  constructor(text: string, onRow: OnRow, resolve: () => void, reject: (error: unknown) => void) {
    this.text = text;
    this.onRow = onRow;
    this.resolve = resolve;
    this.reject = reject;
  }

  submit(connection: pg.Connection): void {
    connection.query(this.text);
  }

  /** What is thrown here would reach the socket and end the process. */
  handleCopyData({ chunk }: { chunk: Buffer }): void {
    if (this.hasFailed) return;
    try {
      this.readRows(chunk);
    } catch (error) {
      this.handleError(error);
    }
  }

  handleError(error: unknown): void {
    this.hasFailed = true;
    this.reject(error);
  }

  handleCommandComplete(): void {}

  handleReadyForQuery(): void {
    this.resolve();
  }

  /** The first message starts with the file's header. */
  private readRows(bytes: Buffer): void {
    let at = 0;
    if (!this.headerSeen) {
      at = SIGNATURE_BYTES + 8 + bytes.readInt32BE(SIGNATURE_BYTES + 4);
      this.headerSeen = true;
    }
    while (at < bytes.length) {
      const fieldCount = bytes.readInt16BE(at);
      if (fieldCount === END_OF_DATA) return;
      at += 2;
      for (let field = 0; field < fieldCount; field++) {
        const length = bytes.readInt32BE(at);
        if (length < 0) throw new Error('copyRows cannot read null');
        at += FIELD_HEADER_BYTES + length;
        this.ends[field] = at;
      }
      this.onRow(bytes, this.ends);
    }
  }
}
