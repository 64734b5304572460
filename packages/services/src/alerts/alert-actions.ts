import type { BulkAction, BulkAlerts, ErrorCode } from '@tocsin/contracts';
import {
  acknowledgeAlerts,
  alertsAtRest,
  deleteAlerts,
  resolveByHand,
  unacknowledgeAlerts,
  type AlertRow,
  type DrizzleTx,
} from '@tocsin/db';
import { alertStatusAfter, type AlertMove, type AlertStatus, type Permission } from '@tocsin/domain';
import type { z } from 'zod';
import { audit } from '../audit.ts';
import type { Context } from '../context.ts';
import { silencing } from './silence-actions.ts';

/** What becomes of one alert: it is done, it was so already, or why not. */
export type Decision = 'do' | 'unchanged' | Extract<ErrorCode, `alert_${string}`>;

/** What people do with alerts, one or many at a time. */
export interface AlertAction {
  /** The weakest role that may: of the route, and of this action within `POST /alerts/bulk`. */
  permission: Permission;
  /** Archived alerts can be handled so too. */
  archivedToo: boolean;
  /** Of alerts under lock, by id. Changes nothing. */
  decide: (tx: DrizzleTx, ctx: Context, rows: readonly AlertRow[]) => Promise<ReadonlyMap<string, Decision>>;
  /** Does it to those that are to be done. Answers triggers to be hinted after the commit. */
  apply: (tx: DrizzleTx, ctx: Context, ids: readonly string[]) => Promise<readonly string[]>;
  /** What they are then; null: gone. */
  after: AlertStatus | 'as_before' | null;
}

const byStatus =
  (move: AlertMove): AlertAction['decide'] =>
  async (_tx, _ctx, rows) =>
    new Map(
      rows.map(({ id, status }): [string, Decision] => {
        const after = alertStatusAfter(status, move, 'person');
        return [id, after === null ? 'alert_resolved' : after === status ? 'unchanged' : 'do'];
      }),
    );

/** What may be said with it is null where nothing is. */
export const acknowledging = (note: string | null): AlertAction => ({
  permission: 'alerts:handle',
  archivedToo: false,
  decide: byStatus('acknowledge'),
  apply: (tx, { tenantId, actor }, ids) => acknowledgeAlerts(tx, tenantId, ids, { actor, note }),
  after: 'acknowledged',
});

export const unacknowledging = (note: string | null): AlertAction => ({
  permission: 'alerts:handle',
  archivedToo: false,
  decide: byStatus('unacknowledge'),
  async apply(tx, { tenantId, actor }, ids) {
    await unacknowledgeAlerts(tx, tenantId, ids, { actor, note });
    return [];
  },
  after: 'active',
});

export const resolving = (notes: string | null): AlertAction => ({
  permission: 'alerts:handle',
  archivedToo: false,
  decide: byStatus('ended'),
  apply: (tx, { tenantId, actor }, ids) => resolveByHand(tx, tenantId, ids, { actor, notes }),
  after: 'resolved',
});

/** With what was told of them. What is open, or still being told, stays: somebody waits for its end. */
export const deleting: AlertAction = {
  permission: 'alerts:delete',
  archivedToo: true,
  async decide(tx, { tenantId }, rows) {
    const ids = rows.map(({ id }) => id);
    const atRest = new Set(await alertsAtRest(tx, tenantId, ids));
    return new Map(ids.map((id): [string, Decision] => [id, atRest.has(id) ? 'do' : 'alert_open']));
  },
  async apply(tx, ctx, ids) {
    await deleteAlerts(tx, ctx.tenantId, ids);
    for (const id of ids) await audit(tx, ctx, 'alert.deleted', id);
    return [];
  },
  after: null,
};

/** Those of `POST /alerts/bulk`, from its body. */
export const BULK: Readonly<Record<BulkAction, (asked: z.output<typeof BulkAlerts>) => AlertAction>> = {
  acknowledge: ({ note = null }) => acknowledging(note),
  resolve: ({ notes = null }) => resolving(notes),
  silence: ({ comment, ...end }) => silencing(end, comment),
  delete: () => deleting,
};
