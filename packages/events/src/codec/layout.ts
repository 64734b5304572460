/** The numbers of docs/segment-format.md. Little-endian throughout. */
export const MAGIC = 0x01_47_53_54; // 'TSG', version 1
export const HEADER_BYTES = 40;
export const ENTRY_BYTES = 16;

export const FLAG_ZSTD = 1;
export const FLAG_SPLIT = 2;

/** How a column's values are stored. */
export const KIND_INTEGER = 0;
export const KIND_DELTA = 1;
export const KIND_FLOAT32 = 2;
export const KIND_FLOAT64 = 3;

export const POWERS_OF_TEN = [1, 1e1, 1e2, 1e3, 1e4, 1e5, 1e6, 1e7, 1e8, 1e9] as const;

/** Bytes an unsigned integer up to `max` takes; 8 where it must stay a double. */
export function widthOf(max: number): number {
  if (max === 0) return 0;
  if (max < 2 ** 8) return 1;
  if (max < 2 ** 16) return 2;
  if (max < 2 ** 24) return 3;
  if (max < 2 ** 32) return 4;
  if (max < 2 ** 40) return 5;
  return max < 2 ** 48 ? 6 : 8;
}
