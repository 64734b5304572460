import { sql } from 'drizzle-orm';
import { uuid } from 'drizzle-orm/pg-core';

/** Stands for `series_key` where it has to be unique: the key itself may be longer than an index entry. */
export const seriesDigest = () =>
  uuid('series_digest')
    .notNull()
    .generatedAlwaysAs(sql`md5(series_key)::uuid`);
