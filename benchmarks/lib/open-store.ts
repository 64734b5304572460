import { type EventStore, openEventStore } from '@tocsin/events';
import { createLogger, createMetrics, systemClock } from '@tocsin/runtime';
import type { BenchDatabase } from './bench-database.ts';

/** With nothing cached. */
export const openStore = ({ db }: Pick<BenchDatabase, 'db'>): EventStore =>
  openEventStore({ db, logger: createLogger('bench', 'warn'), metrics: createMetrics('bench'), clock: systemClock });
