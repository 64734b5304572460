import type { EpochMs } from '@tocsin/domain';

/** RFC 3339 in UTC with milliseconds: how every time leaves the API. */
export const timeText = (ms: EpochMs): string => new Date(ms).toISOString();

export const timeTextOrNull = (ms: EpochMs | null): string | null => (ms === null ? null : timeText(ms));
