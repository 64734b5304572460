import { vi } from 'vitest';

/**
 * What a test awaits may take long on a machine that is busy, and ends the wait as soon as it is there: vitest's own second is for machines that have
 * nothing else to do. Whoever says how long means it.
 */
const PATIENCE_MS = 45_000;

const { waitFor, waitUntil } = vi;
type Options = Parameters<typeof waitFor>[1];
const patient = (options: Options): Options => (typeof options === 'number' ? options : { timeout: PATIENCE_MS, ...options });
vi.waitFor = (callback, options) => waitFor(callback, patient(options));
vi.waitUntil = (callback, options) => waitUntil(callback, patient(options));
