import { CreateEscalationPolicy, type EscalationPolicy } from '@tocsin/contracts';
import { countEscalationPolicies, insertEscalationPolicy } from '@tocsin/db';
import { AppError } from '../app-error.ts';
import { audit } from '../audit.ts';
import type { Context } from '../context.ts';
import { change } from '../idempotency.ts';
import { parse } from '../parse.ts';
import { verb } from '../verb.ts';
import { viewEscalationPolicy } from './policy-view.ts';
import { checkSteps, readPolicy } from './read-policy.ts';

const POLICIES_MAX = 100;

/** Holds for what is told from now on. */
export const createEscalationPolicy = verb(
  'escalation:write',
  async ({ ctx, input }: { ctx: Context; input: { body: unknown } }): Promise<EscalationPolicy> => {
    const { key, ...asked } = parse(CreateEscalationPolicy, input.body);
    const settings = readPolicy(asked);
    return change(ctx, async (tx) => {
      const { tenantId, actor } = ctx;
      if ((await countEscalationPolicies(tx, tenantId)) >= POLICIES_MAX)
        throw new AppError('bound_exceeded', `A tenant has at most ${POLICIES_MAX} escalation policies.`);
      await checkSteps(tx, tenantId, asked.steps);
      const row = await insertEscalationPolicy(tx, { ...settings, tenantId, key, actor });
      if (row === null) throw new AppError('key_taken', `There is an escalation policy with the key '${key}' already.`);
      await audit(tx, ctx, 'escalation_policy.created', key, { name: row.name });
      return viewEscalationPolicy(row);
    });
  },
);
