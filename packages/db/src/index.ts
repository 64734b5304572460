export { MIGRATIONS_FOLDER, migrate, type MigrateOptions } from './migrate.ts';
export { newId } from './new-id.ts';
export { openDatabase, type Database, type DatabaseOptions, type Sql } from './open-database.ts';
export { isRetryable, sqlState } from './sql-state.ts';
export { type DrizzleTx, setTenants, type SqlTx, withPipeline, withTenant, withTenants, withTenantsCopy, withTenantsSql } from './with-tenants.ts';
export { type EventNameRow, listEventNames, type SeenName, upsertEventNames } from './queries/event-names.ts';
export { claimIngestKeys, findIngestKey, type IngestKey } from './queries/ingest-keys.ts';
export {
  copySegments, deleteSegments, insertSegments, listSegments, type NewSegment, PACKED_KEY_BYTES, packedStartMs, type SegmentHead, segmentHeads,
  type SegmentKey, type SegmentLevel, type SegmentRange, type SegmentStream, uuidText,
} from './queries/segments.ts';
