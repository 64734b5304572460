import { z } from 'zod';
import { Id, line, Time } from './primitives.ts';
import { PageQuery } from './page.ts';

/** `externalKey` is the operator's own name for the tenant, unique everywhere. */
export const CreateTenant = z.strictObject({ name: line(200), externalKey: line(200) });

export const Tenant = z.strictObject({ id: Id, name: z.string(), externalKey: z.string(), createdAt: Time });
export type Tenant = z.infer<typeof Tenant>;

export const ListTenants = z.strictObject(PageQuery);
