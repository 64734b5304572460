import { drizzle, type PostgresJsDatabase } from 'drizzle-orm/postgres-js';
import type { Socket } from 'node:net';
import pg from 'pg';
import postgres from 'postgres';
import { arrayTypes } from './array-types.ts';
import { epochMsOf, instantText, OID } from './postgres-types.ts';
import { watchedSocket } from './watched-socket.ts';

export interface DatabaseOptions {
  /** postgres:// URL of the role `tocsin_app`. */
  url: string;
  /** Shown in pg_stat_activity. */
  applicationName: string;
  /** Upper bound of all connections of this process, at least 3. Default 20. */
  maxConnections?: number;
  /** A statement that takes longer is a fault, not a wait: leases and shutdown deadlines are shorter. Default 30 s. */
  statementTimeoutMs?: number;
}

/** Rows with a tenant are reached through the doors (`withTenant`, …); what is used directly here sees none of them. */
export interface Database {
  drizzle: PostgresJsDatabase;
  /** Raw SQL: timestamptz comes and goes as epoch milliseconds, int8 as a number, jsonb as objects. */
  sql: Sql;
  /** For COPY, which postgres.js can leave hanging. */
  pool: pg.Pool;
  /** Added to the database's clock by every door. Zero outside tests. */
  clock: { shiftMs: number };
  close: () => Promise<void>;
}

const timestamptz: postgres.PostgresType<number> = {
  to: OID.timestamptz,
  from: [OID.timestamptz],
  serialize: instantText,
  parse: epochMsOf,
};
const int8: postgres.PostgresType<number> = { to: OID.int8, from: [OID.int8], serialize: String, parse: Number };
const types = { timestamptz, int8, ...arrayTypes };

export type Sql = postgres.Sql<{ timestamptz: number; int8: number }>;

const STATEMENT_TIMEOUT_MS = 30_000;
/** What the server takes beyond the statement's time to say that it is over. */
const ANSWER_MS = 5_000;
/** As long as a lease: whoever stands still for so long in a transaction has lost it, and with its locks would keep out who takes over. */
const IDLE_IN_TRANSACTION_TIMEOUT_MS = 10_000;
const CONNECT_TIMEOUT_S = 10;

/** Connects when first used. */
export function openDatabase({
  url,
  applicationName,
  maxConnections = 20,
  statementTimeoutMs = STATEMENT_TIMEOUT_MS,
}: DatabaseOptions): Database {
  const copies = Math.max(1, Math.floor(maxConnections / 5));
  const each = Math.max(1, Math.floor((maxConnections - copies) / 2));

  // drizzle replaces parsers of the client it is given, so raw SQL has a client of its own
  const forDrizzle = client(url, applicationName, each, statementTimeoutMs);
  const sql = client(url, applicationName, each, statementTimeoutMs);
  const pool = copyPool(url, applicationName, copies, statementTimeoutMs);
  const orm = drizzle(forDrizzle);
  Object.assign(forDrizzle.options.parsers, { [OID.timestamptz]: epochMsOf });
  Object.assign(forDrizzle.options.serializers, { [OID.timestamptz]: instantText });

  return {
    drizzle: orm,
    sql,
    pool,
    clock: { shiftMs: 0 },
    close: async () => {
      await Promise.all([forDrizzle.end({ timeout: 5 }), sql.end({ timeout: 5 }), pool.end()]);
    },
  };
}

/** The default counts each connection that breaks and reaches 20 s when a pool of them breaks at once, as at any restart of the server. */
const reconnectDelayS = (retries: number): number => (0.5 + Math.random() / 2) * Math.min(2 ** retries / 50, 1);

function client(url: string, applicationName: string, max: number, statementTimeoutMs: number): Sql {
  const options: postgres.Options<typeof types> & { socket: (to: Address) => Socket } = {
    max,
    types,
    fetch_types: false,
    backoff: reconnectDelayS,
    connect_timeout: CONNECT_TIMEOUT_S,
    socket: connector(statementTimeoutMs + ANSWER_MS),
    // Gone before its silence would look like a dead line's.
    idle_timeout: Math.ceil(statementTimeoutMs / 1_000),
    onnotice: () => {},
    connection: {
      application_name: applicationName,
      search_path: 'tocsin',
      statement_timeout: statementTimeoutMs,
      idle_in_transaction_session_timeout: IDLE_IN_TRANSACTION_TIMEOUT_MS,
    },
  };
  return postgres(url, options);
}

/** The addresses of a URL, as the driver has read them. */
interface Address {
  host: readonly string[];
  port: readonly number[];
  path: string | false | undefined;
}

/** Connects to a URL's hosts in turn. The driver listens before the socket can have anything to say, and reads the name TLS asks for from it. */
function connector(silenceMs: number): (to: Address) => Socket {
  let turn = 0;
  return ({ host: hosts, port: ports, path }) => {
    const socket = watchedSocket(silenceMs);
    if (typeof path === 'string') return socket.connect(path);
    const at = turn++ % hosts.length;
    const [host = 'localhost', port = 5432] = [hosts[at], ports[at]];
    return Object.assign(socket.connect(port, host), { host, port });
  };
}

function copyPool(url: string, applicationName: string, max: number, statementTimeoutMs: number): pg.Pool {
  const pool = new pg.Pool({
    connectionString: url,
    application_name: applicationName,
    max,
    connectionTimeoutMillis: CONNECT_TIMEOUT_S * 1000,
    keepAlive: true,
    stream: () => watchedSocket(statementTimeoutMs + ANSWER_MS),
    options: `-c search_path=tocsin -c statement_timeout=${statementTimeoutMs} -c idle_in_transaction_session_timeout=${IDLE_IN_TRANSACTION_TIMEOUT_MS}`,
    types: { getTypeParser: parserOf },
  });
  // What is under way on a lost connection rejects, and an idle one is replaced at its next use; an error nobody listens to would end the process.
  pool.on('error', () => {});
  pool.on('connect', (connected) => connected.on('error', () => {}));
  return pool;
}

function parserOf(oid: number, format?: string): (value: never) => unknown {
  if (format !== 'binary' && oid === OID.timestamptz) return epochMsOf;
  if (format !== 'binary' && oid === OID.int8) return Number;
  return format === 'binary' ? pg.types.getTypeParser(oid, 'binary') : pg.types.getTypeParser(oid, 'text');
}
