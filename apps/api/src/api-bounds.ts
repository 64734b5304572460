import { DEFAULT_BOUNDS, type EventBounds } from '@tocsin/events';
import { numberVariable, readingVariables } from '@tocsin/pipeline';
import { serviceVariables } from '@tocsin/services';

/** What one request may hold. */
export interface ApiBounds {
  bodyBytes: number;
  eventsPerRequest: number;
}

export const API_BOUNDS: ApiBounds = { bodyBytes: 5 * 1_024 * 1_024, eventsPerRequest: 5_000 };

/** The variables that bound what people and programs send. */
export const boundVariables = {
  ...readingVariables,
  ...serviceVariables,
  bodyBytes: numberVariable(1_024, 64 * 1_024 * 1_024, API_BOUNDS.bodyBytes),
  eventsPerRequest: numberVariable(1, 50_000, API_BOUNDS.eventsPerRequest),
  dimsPerEvent: numberVariable(1, 128, DEFAULT_BOUNDS.dimsPerEvent),
  measuresPerEvent: numberVariable(1, 128, DEFAULT_BOUNDS.measuresPerEvent),
  dimValueLength: numberVariable(1, 1_024, DEFAULT_BOUNDS.dimValueLength),
};

type Config = Record<keyof typeof boundVariables | 'retention', number>;

/** What the API asks of its event store. */
export const eventBounds = ({
  retention,
  seriesPerRead,
  dimsPerEvent,
  measuresPerEvent,
  dimValueLength,
}: Config): Partial<EventBounds> => ({
  retentionMs: retention,
  seriesPerRead,
  dimsPerEvent,
  measuresPerEvent,
  dimValueLength,
});
