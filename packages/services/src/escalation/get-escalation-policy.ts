import type { EscalationPolicy } from '@tocsin/contracts';
import { findEscalationPolicy, withTenant } from '@tocsin/db';
import { notFound } from '../app-error.ts';
import type { Context } from '../context.ts';
import { keyFrom } from '../parse.ts';
import { verb } from '../verb.ts';
import { viewEscalationPolicy } from './policy-view.ts';

export const getEscalationPolicy = verb(
  'escalation:read',
  async ({ ctx: { db, tenantId }, input }: { ctx: Context; input: { key: string } }): Promise<EscalationPolicy> => {
    const row = await withTenant(db, tenantId, (tx) => findEscalationPolicy(tx, { tenantId, key: keyFrom(input.key) }));
    if (row === null) throw notFound('escalation policy');
    return viewEscalationPolicy(row);
  },
);
