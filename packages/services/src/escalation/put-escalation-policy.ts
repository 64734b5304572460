import { type EscalationPolicy, PutEscalationPolicy } from '@tocsin/contracts';
import { lockEscalationPolicy, updateEscalationPolicy, wakeEscalationsOf } from '@tocsin/db';
import { notFound } from '../app-error.ts';
import { audit } from '../audit.ts';
import type { Context } from '../context.ts';
import { change } from '../idempotency.ts';
import { keyFrom, parse } from '../parse.ts';
import { requireVersion } from '../version.ts';
import { verb } from '../verb.ts';
import { viewEscalationPolicy } from './policy-view.ts';
import { checkSteps, readPolicy } from './read-policy.ts';

interface Input {
  key: string;
  body: unknown;
  ifMatch: string | undefined;
}

/** Replaces a policy. Escalations that go by it go by what it says from now on: what has been told stays told. */
export const putEscalationPolicy = verb(
  'escalation:write',
  async ({ ctx, input }: { ctx: Context; input: Input }): Promise<EscalationPolicy> => {
    return change(ctx, async (tx) => {
      const { tenantId, actor } = ctx;
      const before = await lockEscalationPolicy(tx, { tenantId, key: keyFrom(input.key) });
      if (before === null) throw notFound('escalation policy');
      requireVersion(input.ifMatch, before.version);
      const asked = parse(PutEscalationPolicy, input.body);
      const settings = readPolicy(asked);
      await checkSteps(tx, tenantId, asked.steps);
      const row = await updateEscalationPolicy(tx, { ...settings, tenantId, key: before.key, actor });
      await wakeEscalationsOf(tx, tenantId, row.key);
      await audit(tx, ctx, 'escalation_policy.updated', row.key, { name: row.name, version: row.version });
      return viewEscalationPolicy(row);
    });
  },
);
