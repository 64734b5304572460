import { deleteEscalationPolicy as deleteRow, lockEscalationPolicy, wakeEscalationsOf } from '@tocsin/db';
import { notFound } from '../app-error.ts';
import { audit } from '../audit.ts';
import type { Context } from '../context.ts';
import { change } from '../idempotency.ts';
import { keyFrom } from '../parse.ts';
import { requireVersion } from '../version.ts';
import { verb } from '../verb.ts';

/** Escalations that go by it end, and their alerts' timelines say so. */
export const deleteEscalationPolicy = verb(
  'escalation:write',
  async ({ ctx, input }: { ctx: Context; input: { key: string; ifMatch: string | undefined } }): Promise<void> => {
    const { tenantId } = ctx;
    return change(ctx, async (tx) => {
      const row = await lockEscalationPolicy(tx, { tenantId, key: keyFrom(input.key) });
      if (row === null) throw notFound('escalation policy');
      requireVersion(input.ifMatch, row.version);
      await deleteRow(tx, row);
      await wakeEscalationsOf(tx, tenantId, row.key);
      await audit(tx, ctx, 'escalation_policy.deleted', row.key, { name: row.name });
    });
  },
);
