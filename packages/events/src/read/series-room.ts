import type { Window } from './compile-plan.ts';

/** How many series may be gathered at a time, over all windows that share it. */
export class SeriesRoom {
  readonly atMost: number;
  taken = 0;
  /** Those with a group-by. */
  readonly windows: Window[] = [];

  constructor(atMost: number) {
    this.atMost = atMost;
  }

  /** Gives up the windows with the most series until the others fit; of equal ones the last, so that the same queries are answered every time. */
  makeRoom(): void {
    while (this.taken > this.atMost) {
      const largest = this.windows.reduce((most, window) => (window.series >= most.series ? window : most));
      this.taken -= largest.series;
      for (const accumulator of largest.accumulators) accumulator?.release();
      Object.assign(largest, { isGivenUp: true, series: 0, accumulators: [] });
    }
  }
}
