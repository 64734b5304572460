import { type MissedAlert, ReportMissed } from '@tocsin/contracts';
import { findRule, insertMissedAlert, newId, type MissedAlertRow } from '@tocsin/db';
import { invalid } from '../app-error.ts';
import { audit } from '../audit.ts';
import type { Context } from '../context.ts';
import { change } from '../idempotency.ts';
import { parse } from '../parse.ts';
import { timeText } from '../time-text.ts';
import { verb } from '../verb.ts';

/** Records trouble that no alert told of, which the statistics count; answers what to ask for a backtest over that time. */
export const reportMissed = verb(
  'alerts:handle',
  async ({ ctx, input }: { ctx: Context; input: { body: unknown } }): Promise<MissedAlert> => {
    const { from: fromAtMs, to: toAtMs, labels, note = null, ruleId = null } = parse(ReportMissed, input.body);
    const { tenantId, actor } = ctx;
    return change(ctx, async (tx) => {
      if (ruleId !== null && (await findRule(tx, tenantId, { id: ruleId })) === null)
        throw invalid([{ pointer: '/ruleId', code: 'unknown_rule', message: 'There is no such rule.' }]);
      const row = await insertMissedAlert(tx, { tenantId, id: newId(), fromAtMs, toAtMs, labels, note, ruleId, createdBy: actor });
      await audit(tx, ctx, 'alert.missed', row.id, { ruleId });
      return viewMissed(row);
    });
  },
);

function viewMissed({ id, fromAtMs, toAtMs, labels, note, ruleId, createdAtMs, createdBy }: MissedAlertRow): MissedAlert {
  const range = { from: timeText(fromAtMs), to: timeText(toAtMs) };
  const path = ruleId === null ? '/api/v1/rules/preview' : `/api/v1/rules/${ruleId}/backtest`;
  return {
    id,
    ...range,
    labels: { ...labels },
    note,
    ruleId,
    createdAt: timeText(createdAtMs),
    createdBy,
    backtest: { method: 'POST', path, body: { rule: {}, ...range } },
  };
}
