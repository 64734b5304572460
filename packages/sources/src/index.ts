import type { MetricSource } from '@tocsin/domain';
import type { EventStore } from '@tocsin/events';

/** Where a rule's queries are answered. One name a source; the event store is the only one so far. */
export function sources(store: EventStore): Readonly<Record<'events', MetricSource>> {
  return { events: store.source };
}
