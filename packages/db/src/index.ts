export { MIGRATIONS_FOLDER, migrate, type MigrateOptions } from './migrate.ts';
export { newId } from './new-id.ts';
export { openDatabase, type Database, type DatabaseOptions, type Sql } from './open-database.ts';
export { isRetryable, sqlState } from './sql-state.ts';
export { type DrizzleTx, setTenants, type SqlTx, withPipeline, withTenant, withTenants, withTenantsCopy, withTenantsSql } from './with-tenants.ts';
