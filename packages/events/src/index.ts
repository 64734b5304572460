export { DEFAULT_BOUNDS, type EventBounds } from './bounds.ts';
export { decodeSegment, encodeSegment } from './codec/codec.ts';
export { IdempotencyConflict, Overloaded, TooManySeries } from './errors.ts';
export type { EvaluationPage, EvaluationRow } from './evaluation-row.ts';
export type { EventStore, EventStoreDeps, IngestAnswer, RangeSeries } from './event-store.ts';
export { REJECTION_CODES, type Rejection, type RejectionCode, type TelemetryEvent } from './event.ts';
export { encodeEvaluations } from './evaluations/encode-evaluations.ts';
export { openEventStore } from './open-event-store.ts';
export { isEvaluationCursor } from './evaluations/read-evaluations.ts';
