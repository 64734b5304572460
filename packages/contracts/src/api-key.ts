import { ROLES } from '@tocsin/domain';
import { z } from 'zod';
import { Id, line, Time } from './primitives.ts';
import { PageQuery } from './page.ts';

export const CreateApiKey = z.strictObject({ name: line(200), role: z.enum(ROLES) });

export const ApiKey = z.strictObject({
  id: Id,
  name: z.string(),
  role: z.enum(ROLES),
  lastFour: z.string(),
  createdAt: Time,
  /** Up to a minute behind. */
  lastUsedAt: Time.nullable(),
  revokedAt: Time.nullable(),
});
export type ApiKey = z.infer<typeof ApiKey>;

/** The only answer that ever holds the key itself. */
export const CreatedApiKey = z.strictObject({ ...ApiKey.shape, key: z.string() });
export type CreatedApiKey = z.infer<typeof CreatedApiKey>;

export const ListApiKeys = z.strictObject(PageQuery);
