import type { EscalationPolicyList } from '@tocsin/contracts';
import { selectEscalationPolicies, withTenant } from '@tocsin/db';
import type { Context } from '../context.ts';
import { verb } from '../verb.ts';
import { viewEscalationPolicy } from './policy-view.ts';

/** In the order in which they are tried. */
export const listEscalationPolicies = verb(
  'escalation:read',
  async ({ ctx: { db, tenantId } }: { ctx: Context; input: undefined }): Promise<EscalationPolicyList> => {
    const rows = await withTenant(db, tenantId, (tx) => selectEscalationPolicies(tx, tenantId));
    return { data: rows.map(viewEscalationPolicy) };
  },
);
