import { sql } from 'drizzle-orm';
import { customType } from 'drizzle-orm/pg-core';

/** A timestamptz column as epoch milliseconds. */
export const instant = customType<{ data: number; driverData: number }>({ dataType: () => 'timestamp with time zone' });

/** A bytea column. */
export const bytes = customType<{ data: Buffer; driverData: Buffer }>({ dataType: () => 'bytea' });

/** The only time a row is stamped with. */
export const tocsinNow = sql`tocsin.tocsin_now()`;
