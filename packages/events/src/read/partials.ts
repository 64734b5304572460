import type { Accumulator } from './accumulator.ts';

/** What queries found in one segment, kept with it: a window that holds the whole segment adds it up instead of reading the rows again. */
export class Partials {
  bytes = 0;
  private readonly byQuery = new Map<string, Accumulator>();
  private readonly onGrow: (bytes: number) => void;

  constructor(onGrow: (bytes: number) => void) {
    this.onGrow = onGrow;
  }

  get(query: string): Accumulator | undefined {
    return this.byQuery.get(query);
  }

  set(query: string, partial: Accumulator): void {
    this.byQuery.set(query, partial);
    this.bytes += partial.byteLength;
    this.onGrow(partial.byteLength);
  }
}
