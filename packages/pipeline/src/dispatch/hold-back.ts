import { channelOf } from '@tocsin/channels';
import { countMessages, type CountedWindow, type NewDelivery, type PendingTrigger, type SqlTx, type WindowRef } from '@tocsin/db';
import { GROUP_WINDOW_MS, groupScope, isActionChannel, isStorm, placeInGroup, STORM_WINDOW_MS } from '@tocsin/domain';

/** A delivery that is to be sent, with what it is about. */
export interface Sendable {
  trigger: PendingTrigger;
  delivery: NewDelivery;
}

interface Grouped extends Sendable {
  channelId: string;
  /** Of those told together, a rule’s. */
  scope: string;
}

/**
 * Lets messages wait that are to be told with others: those that follow the first of their rule at a channel, and those that are more than the channel
 * takes in a minute. Changes their `hold`. Nothing is dropped: what waits is a row like any other, due when its window ends.
 */
export async function holdBack(sql: SqlTx, sendable: readonly Sendable[]): Promise<void> {
  const grouped = sendable.flatMap((each): Grouped[] => {
    const { trigger, delivery } = each;
    const { channelId, channelKey, channelKind, kind } = delivery;
    // automation is called for each alert
    const isApart = channelOf(channelKind)?.perAlert === true || isActionChannel(channelKey);
    const scope = isApart ? null : groupScope(kind, trigger.severity, trigger.told.rule.id);
    return scope === null || channelId === null ? [] : [{ ...each, channelId, scope }];
  });
  if (grouped.length === 0) return;
  const toRules = await count(sql, grouped, (each) => ({ ...refOf(each), scope: each.scope }), GROUP_WINDOW_MS);
  const messages: Grouped[] = [];
  const rest: Grouped[] = [];
  const limits = new Map<string, number>();
  for (const [each, { place, endsInMs, maxPerMinute }] of toRules) {
    const where = placeInGroup(place);
    if (where !== 'first') each.delivery.hold = { foldKey: each.scope, byMs: endsInMs };
    const most = maxPerMinute ?? channelOf(each.delivery.channelKind)?.maxPerMinute ?? null;
    if (most === null) continue;
    limits.set(each.channelId, most);
    (where === 'rest' ? rest : messages).push(each);
  }
  if (messages.length > 0 || rest.length > 0) await holdInStorm(sql, messages, rest, limits);
}

/** @param rest told with one of a rule's messages: it counts for nothing, but is part of a storm where that is */
async function holdInStorm(
  sql: SqlTx,
  messages: readonly Grouped[],
  rest: readonly Grouped[],
  limits: ReadonlyMap<string, number>,
): Promise<void> {
  const uncounted = new Set(rest);
  const toChannels = await count(sql, [...messages, ...rest], refOf, STORM_WINDOW_MS, (each) => (uncounted.has(each) ? 0 : 1));
  for (const [{ channelId, delivery, trigger }, { place, endsInMs }] of toChannels)
    if (isStorm(place, trigger.severity, limits.get(channelId) ?? null)) delivery.hold = { foldKey: 'channel', byMs: endsInMs };
}

const refOf = ({ trigger: { tenantId }, channelId }: Grouped): WindowRef => ({ tenantId, channelId, scope: 'channel' });

/** Which message of its window each is, 0 for the first. */
async function count(
  sql: SqlTx,
  counted: readonly Grouped[],
  windowOf: (each: Grouped) => WindowRef,
  lengthMs: number,
  weightOf: (each: Grouped) => number = () => 1,
): Promise<Map<Grouped, CountedWindow & { place: number }>> {
  const nameOf = ({ channelId, scope }: WindowRef): string => `${channelId} ${scope}`;
  const windows = Map.groupBy(counted, (each) => nameOf(windowOf(each)));
  const known = await countMessages(
    sql,
    [...windows.values()].map((of) => ({ ...windowOf(of[0]!), messages: of.reduce((total, each) => total + weightOf(each), 0) })),
    lengthMs,
  );
  return new Map(
    known.flatMap((window) => {
      let place = window.before;
      return (windows.get(nameOf(window)) ?? []).map((each) => {
        const placed = { ...window, place };
        place += weightOf(each);
        return [each, placed] as const;
      });
    }),
  );
}
