import { channelOf, type Channel } from '@tocsin/channels';
import { newId, type ChannelToPlan, type NewDelivery, type PendingTrigger } from '@tocsin/db';
import type { AttemptDeps } from '../deliver/delivery-deps.ts';
import type { Place } from '../deliver/lanes.ts';
import { bodyOf, type Message, type Prepared } from '../deliver/prepare.ts';
import { LEASE_MS } from '../while-leased.ts';

type First = Required<Pick<NewDelivery, 'body'>> & { body: string; first: NonNullable<NewDelivery['first']> };

/** The first attempts that are made together with their plan, so that a message goes out without another transaction. */
export interface FirstAttempts {
  /** Takes a place for a message that is new. Null: there is none just now, or there is more to decide; it goes the usual way. */
  begin: (trigger: PendingTrigger, delivery: NewDelivery, channel: ChannelToPlan) => First | null;
  /** The deliveries that were stored as begun, with their time; the others are given up. */
  started: (startedMs: ReadonlyMap<string, number>) => void;
  prepared: () => Prepared[];
  giveUp: () => void;
}

interface Begun {
  message: Message;
  channel: Channel;
  first: First;
  place: Place;
}

export function firstAttempts(deps: AttemptDeps): FirstAttempts {
  const begun = new Map<string, Begun>();
  const prepared: Prepared[] = [];

  const begin: FirstAttempts['begin'] = (trigger, delivery, { id: channelId, kind, ...channel }) => {
    const definition = channelOf(kind);
    if (definition === null || trigger.ageMs >= delivery.lifetimeMs) return null;
    const { tenantId, told, tenantExternalKey, nowMs } = trigger;
    const { id, alertId, channelKey, channelKind, kind: tellingKind } = delivery;
    const body = bodyOf(deps, { tenantId, id, channelId, kind: tellingKind, told, tenantExternalKey, nowMs }, definition);
    const place = body === null ? null : deps.lanes.enter(tenantId, channelId);
    if (body === null || place === null) return null;
    const first = { body, first: { token: newId(), leaseMs: LEASE_MS, attemptId: newId() } };
    const message = {
      tenantId,
      id,
      alertId,
      channelId,
      channelKey,
      channelKind,
      kind: tellingKind,
      countedAttempts: 0,
      told,
      tenantExternalKey,
      nowMs,
      channel,
    };
    begun.set(id, { message, channel: definition, first, place });
    return first;
  };

  return {
    begin,
    started: (startedMs) => {
      for (const [id, { message, channel, first, place }] of begun) {
        const atMs = startedMs.get(id);
        if (atMs === undefined) continue;
        const { token, attemptId } = first.first;
        const attempt = { id: attemptId, number: 1, startedMs: atMs };
        prepared.push({ kind: 'send', delivery: message, channel, token, attempt, body: first.body, place });
        begun.delete(id);
      }
      for (const { place } of begun.values()) place.leave();
      begun.clear();
    },
    prepared: () => prepared,
    giveUp: () => {
      for (const { place } of [...begun.values(), ...prepared]) place.leave();
    },
  };
}
