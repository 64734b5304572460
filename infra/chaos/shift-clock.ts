// Preloaded by `--import`: a machine whose clock is wrong by `TOCSIN_TEST_CLOCK_SHIFT_MS`. Timers go on as they should.
const shiftMs = Number(process.env['TOCSIN_TEST_CLOCK_SHIFT_MS']);
const RightDate = Date;

globalThis.Date = class extends RightDate {
  constructor(...given: unknown[]) {
    if (given.length === 0) super(RightDate.now() + shiftMs);
    else super(...(given as [number]));
  }

  static override now(): number {
    return RightDate.now() + shiftMs;
  }
} as DateConstructor;
