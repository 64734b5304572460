export { startPostgres } from './start-postgres.ts';
export type { PostgresServer, StartOptions } from './start-postgres.ts';
