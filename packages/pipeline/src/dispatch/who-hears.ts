import { channelsByKey, channelsToldLater, databaseTime, type ChannelToPlan, type PendingTrigger, type SqlTx } from '@tocsin/db';
import { routesTaken, toldLater, type Labels, type Later, type Route, type RuleName, type RuleSpec, type Severity } from '@tocsin/domain';
import { knownMutes } from './known-mutes.ts';
import { plan, type Plan } from './plan-deliveries.ts';

/** An alert that might fire. */
export interface Supposed {
  tenantId: string;
  rule: RuleName;
  notify: RuleSpec['notify'];
  /** The rule's and the series'. */
  labels: Labels;
  severity: Severity;
  alertType: string;
}

export interface Hearing extends Plan {
  routes: readonly Route[];
  /** The routes it would take, by their place. */
  taken: number[];
  /** What of those who hear is told later, by the key of the channel. */
  later: ReadonlyMap<string, Later>;
}

/** Of no alert there is. */
const NO_ALERT = '00000000-0000-0000-0000-000000000000';

/** Who would hear if such an alert fired now, as the planner would decide it. Changes nothing. */
export async function whoHears(sql: SqlTx, supposed: Supposed): Promise<Hearing> {
  const { tenantId, rule, notify, severity } = supposed;
  const alert = { ...supposed, ruleKey: rule.key };
  const { routes, mutes } = (await knownMutes(sql, [alert], { keep: false }))(tenantId);
  const taken = routesTaken(routes, alert);
  const keys = [...notify, ...taken.flatMap((index) => routes[index]?.channels ?? [])].map(({ channel }) => channel);
  const channels = await channelsByKey(
    sql,
    keys.map((key) => ({ tenantId, key })),
  );
  const nowMs = await databaseTime(sql);
  const trigger = { ...supposed, alertId: NO_ALERT, kind: 'fired' as const, severity, ruleKey: rule.key, silencedUntilMs: null, nowMs };
  const planned = plan(trigger, { channels, routes, mutes, heard: [] });
  const hearing = channels.filter(({ key }) =>
    planned.deliveries.some(({ channelKey, suppressed }) => channelKey === key && suppressed === null),
  );
  return { ...planned, routes, taken, later: await laterOf(sql, trigger, hearing) };
}

async function laterOf(
  sql: SqlTx,
  { kind, severity, nowMs }: Pick<PendingTrigger, 'kind' | 'severity' | 'nowMs'>,
  hearing: readonly ChannelToPlan[],
): Promise<Hearing['later']> {
  const keys = new Map(hearing.map(({ id, key }) => [id, key]));
  const channels = await channelsToldLater(
    sql,
    hearing.map(({ tenantId, id: channelId }) => ({ tenantId, channelId })),
  );
  return new Map(
    channels.flatMap((channel): [string, Later][] => {
      const later = toldLater(channel, kind, severity, nowMs);
      return later === null ? [] : [[keys.get(channel.channelId)!, later]];
    }),
  );
}
