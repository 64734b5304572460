import type { EpochMs } from '@tocsin/domain';

/** One thing that happened. Maps are own-property records; a name absent from them is different from an empty text. */
export interface TelemetryEvent {
  tsMs: EpochMs;
  name: string;
  dims: Record<string, string>;
  measures: Record<string, number>;
}

export const REJECTION_CODES = [
  'not_an_object',
  'unknown_field',
  'bad_name',
  'reserved_name',
  'bad_ts',
  'ts_in_future',
  'ts_too_old',
  'bad_dims',
  'bad_dim_name',
  'bad_dim_value',
  'too_many_dims',
  'bad_measures',
  'bad_measure_name',
  'bad_measure_value',
  'too_many_measures',
] as const;
export type RejectionCode = (typeof REJECTION_CODES)[number];

/** Why one event of a request was not taken; `index` is its place in the request. */
export interface Rejection {
  index: number;
  code: RejectionCode;
  message: string;
}
