import { endSilencesResolved, openAlertsLike, wakeInhibited, type ActiveSilence, type PendingTrigger, type SqlTx } from '@tocsin/db';
import { DRILL_PREFIX, matches, valuesWanted } from '@tocsin/domain';

/**
 * What the end of alerts ends: those that they inhibited are looked at again, and a silence that was to last until what it mutes is over ends with the last of
 * it, fire drills aside. The silences are those of the alerts' tenants, under lock.
 */
export async function endWhatWasMuted(sql: SqlTx, ends: readonly PendingTrigger[], silences: readonly ActiveSilence[]): Promise<void> {
  await wakeInhibited(sql, ends);
  const real = ends.filter(({ told }) => !told.rule.key.startsWith(DRILL_PREFIX));
  const concerned = silences.filter(({ tenantId, matchers }) =>
    real.some((end) => end.tenantId === tenantId && matches(matchers, { ...end, ruleKey: end.told.rule.key })),
  );
  if (concerned.length === 0) return;
  const wanted = concerned.map(({ tenantId, matchers }) => ({ tenantId, values: valuesWanted(matchers) }));
  const open = await openAlertsLike(sql, wanted);
  const over = concerned.filter(({ tenantId, matchers }) => !open.some((alert) => alert.tenantId === tenantId && matches(matchers, alert)));
  if (over.length > 0) await endSilencesResolved(sql, over);
}
