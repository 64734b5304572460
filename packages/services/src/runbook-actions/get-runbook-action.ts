import type { RunbookAction } from '@tocsin/contracts';
import { findRunbookAction, withTenant } from '@tocsin/db';
import { notFound } from '../app-error.ts';
import type { Context } from '../context.ts';
import { keyFrom } from '../parse.ts';
import { verb } from '../verb.ts';
import { viewRunbookAction } from './action-view.ts';

export const getRunbookAction = verb(
  'actions:read',
  async ({ ctx, input }: { ctx: Context; input: { key: string } }): Promise<RunbookAction> => {
    const { db, tenantId } = ctx;
    const row = await withTenant(db, tenantId, (tx) => findRunbookAction(tx, { tenantId, key: keyFrom(input.key) }));
    if (row === null) throw notFound('runbook action');
    return viewRunbookAction(ctx, row);
  },
);
