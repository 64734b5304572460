export interface Sample {
  atMs: number;
  bytes: number;
}

const MB = 1_024 * 1_024;

/** Megabytes an hour, by least squares. NaN of fewer than two samples. */
export function slopePerHour(samples: readonly Sample[]): number {
  const mean = (of: (sample: Sample) => number): number => samples.reduce((sum, sample) => sum + of(sample), 0) / samples.length;
  const [atMs, bytes] = [mean((sample) => sample.atMs), mean((sample) => sample.bytes)];
  const covariance = mean((sample) => (sample.atMs - atMs) * (sample.bytes - bytes));
  return ((covariance / mean((sample) => (sample.atMs - atMs) ** 2)) * 3_600_000) / MB;
}

export const megabytes = (bytes: number): number => Math.round((bytes / MB) * 10) / 10;
