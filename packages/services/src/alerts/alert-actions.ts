import type { BulkAction, ErrorCode } from '@tocsin/contracts';
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
import { audit } from '../audit.ts';
import type { Context } from '../context.ts';

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
  apply: (tx: DrizzleTx, ctx: Context, ids: readonly string[], text: string | null) => Promise<readonly string[]>;
  /** What they are then; null: gone. */
  after: AlertStatus | null;
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

export const acknowledge: AlertAction = {
  permission: 'alerts:handle',
  archivedToo: false,
  decide: byStatus('acknowledge'),
  apply: (tx, { tenantId, actor }, ids, note) => acknowledgeAlerts(tx, tenantId, ids, { actor, note }),
  after: 'acknowledged',
};

export const unacknowledge: AlertAction = {
  permission: 'alerts:handle',
  archivedToo: false,
  decide: byStatus('unacknowledge'),
  async apply(tx, { tenantId, actor }, ids, note) {
    await unacknowledgeAlerts(tx, tenantId, ids, { actor, note });
    return [];
  },
  after: 'active',
};

export const resolve: AlertAction = {
  permission: 'alerts:handle',
  archivedToo: false,
  decide: byStatus('ended'),
  apply: (tx, { tenantId, actor }, ids, notes) => resolveByHand(tx, tenantId, ids, { actor, notes }),
  after: 'resolved',
};

/** With what was told of them. What is open, or still being told, stays: somebody waits for its end. */
export const remove: AlertAction = {
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

/** Those of `POST /alerts/bulk`. */
export const BULK: Readonly<Record<BulkAction, AlertAction>> = { acknowledge, resolve, delete: remove };
