import { lockDueTimers, withTenantsSql, type DueRow, type DueTimer, type SqlTx, type TimerKind, type TriggerRef } from '@tocsin/db';
import type { TriggerKind } from '@tocsin/domain';
import { dispatchTrigger } from '@tocsin/queue';
import type { PipelineDeps } from '../pipeline-deps.ts';
import { sendHints } from '../send-hints.ts';
import { escalate } from './escalate.ts';
import { tellAgain } from './tell-again.ts';
import { tellUnsilenced } from './tell-unsilenced.ts';

/** A trigger that a timer has told. */
export interface FiredTrigger extends TriggerRef {
  kind: TriggerKind;
}

/** What timers of a kind do, in the transaction that holds them and their alerts: each is moved or deleted. */
export type Firing = (sql: SqlTx, tenantId: string, timers: readonly DueTimer[]) => Promise<FiredTrigger[]>;

const FIRINGS: Readonly<Record<TimerKind, Firing>> = { reminder: tellAgain, unsilence: tellUnsilenced, escalation: escalate };

/** Does what is to happen to alerts by time alone. A tenant for whom it fails is left to the next sweep. */
export async function fireTimers(deps: PipelineDeps, timers: readonly DueRow[]): Promise<void> {
  for (const [tenantId, rows] of Map.groupBy(timers, (timer) => timer.tenantId)) {
    const timerIds = rows.map(({ id }) => id);
    try {
      const fired = await fireOfTenant(deps, tenantId, timerIds);
      for (const { kind } of fired) deps.metrics.triggers.inc({ kind });
      await sendHints(
        deps,
        dispatchTrigger,
        fired.map(({ triggerId }) => ({ tenantId, triggerId })),
      );
    } catch (error) {
      deps.logger.error({ err: error, tenantId, timers: timerIds.length }, 'timers failed; the sweep tries again');
    }
  }
}

function fireOfTenant({ db }: PipelineDeps, tenantId: string, timerIds: readonly string[]): Promise<FiredTrigger[]> {
  return withTenantsSql(db, [tenantId], async (sql) => {
    const fired: FiredTrigger[] = [];
    for (const [kind, timers] of Map.groupBy(await lockDueTimers(sql, tenantId, timerIds), (timer) => timer.kind))
      fired.push(...(await FIRINGS[kind](sql, tenantId, timers)));
    return fired;
  });
}
