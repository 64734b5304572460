import type { AlertSnapshot, EpochMs, LaterReason, MessageKind, RuleName } from '@tocsin/domain';
import { among } from '../among.ts';
import type { SqlTx } from '../with-tenants.ts';

export interface DeliveryRef {
  tenantId: string;
  deliveryId: string;
}

/** What is told, in the words of then; the annotations are the rule's of now, none once it is deleted. */
export interface Told {
  snapshot: AlertSnapshot;
  createdMs: EpochMs;
  rule: RuleName;
  annotations: Readonly<Record<string, string>>;
}

/** A channel as it is now. `secrets` are sealed. */
export interface ChannelToSend {
  enabled: boolean;
  version: number;
  config: Record<string, unknown>;
  secrets: Buffer | null;
  /** After it only the newest of several signing secrets holds; null: all that there are do. */
  formerSecretsUntilMs: EpochMs | null;
}

/** An open delivery with all that is needed to decide on it and to send it. */
export interface OpenDelivery {
  tenantId: string;
  id: string;
  triggerId: string | null;
  alertId: string | null;
  channelId: string | null;
  channelKey: string;
  channelKind: string;
  kind: MessageKind;
  body: string | null;
  countedAttempts: number;
  attempts: number;
  /** Negative or zero: due. */
  dueInMs: number;
  /** Negative or zero: expired. */
  expiresInMs: number;
  /** Null or not positive: nobody holds it. */
  leasedForMs: number | null;
  nowMs: EpochMs;
  /** Null: it is deleted. */
  channel: ChannelToSend | null;
  /** Null for a test. */
  told: Told | null;
  tenantExternalKey: string;
  /** `resolved` only: how soon an earlier message of its alert to this channel is tried again; null: none is open. */
  earlierDueInMs: number | null;
  /** `resolved` only: an earlier message of its alert was attempted there. */
  earlierAttempted: boolean;
  /** `resolved` only: an earlier message of its alert is open there that is not held back to be told with it. */
  earlierElsewhere: boolean;
  /** `resolved` only: it tells, too, what an earlier message would have. */
  tellsEarlier: boolean;
  /** What has the same one at its channel is told with it; null: it is told by itself. */
  foldKey: string | null;
  /** What it waits for, or waited; null: for neither quiet hours nor a digest. */
  heldFor: LaterReason | null;
  /** What was never tried only, and not the end itself: the end of its alert, which waits for it at the same channel, unsent as well. Null: none does. */
  waitingEndId: string | null;
}

/** Locks those that are open; not answered: what is finished, or in somebody's hands just now. */
export async function lockOpenDeliveries(sql: SqlTx, refs: readonly DeliveryRef[]): Promise<OpenDelivery[]> {
  const ids = refs.map((ref) => ref.deliveryId);
  const rows = await sql<LockedRow[]>`
    with locked as materialized (
      select d.*
      from unnest(${refs.map((ref) => ref.tenantId)}::uuid[], ${ids}::uuid[]) as wanted (tenant_id, id)
      join deliveries d on d.tenant_id = wanted.tenant_id and d.id = wanted.id
      -- as good as its status, which would lure the planner into the index of all that is open
      where d.finished_at is null and ${among(sql, 'd', ids)}
      order by d.tenant_id, d.id
      for no key update of d skip locked
    )
    select d.tenant_id as "tenantId", d.id, d.trigger_id as "triggerId", d.alert_id as "alertId", channels.id as "channelId",
           d.channel_key as "channelKey", d.channel_kind as "channelKind", d.kind, d.body, d.counted_attempts as "countedAttempts", d.attempts,
           d.fold_key as "foldKey", d.held_for as "heldFor",
           (extract(epoch from d.next_attempt_at - tocsin_now()) * 1000)::float8 as "dueInMs",
           (extract(epoch from d.expires_at - tocsin_now()) * 1000)::float8 as "expiresInMs",
           (extract(epoch from d.lease_until - tocsin_now()) * 1000)::float8 as "leasedForMs",
           tocsin_now() as "nowMs", channels.enabled, channels.version, channels.config, channels.secrets,
           channels.former_secrets_until as "formerSecretsUntilMs",
           triggers.snapshot, triggers.created_at as "createdMs", alerts.rule_id as "ruleId", alerts.rule_key as "ruleKey",
           alerts.rule_name as "ruleName", coalesce(rules.spec -> 'annotations', '{}') as annotations, tenants.external_key as "tenantExternalKey",
           earlier.due_in_ms as "earlierDueInMs", coalesce(earlier.attempted, false) as "earlierAttempted",
           coalesce(earlier.is_told, false) as "tellsEarlier",
           coalesce(earlier.elsewhere, false) as "earlierElsewhere", waiting.id as "waitingEndId"
    from locked d
    join tenants on tenants.tenant_id = d.tenant_id
    left join channels on channels.tenant_id = d.tenant_id and channels.id = d.channel_id
    left join triggers on triggers.tenant_id = d.tenant_id and triggers.id = d.trigger_id
    left join alerts on alerts.tenant_id = d.tenant_id and alerts.id = d.alert_id
    left join rules on rules.tenant_id = d.tenant_id and rules.id = alerts.rule_id
    left join lateral (
      -- what another delivery tells of went as that one did
      select min(extract(epoch from coalesce(l.next_attempt_at, e.next_attempt_at) - tocsin_now()) * 1000)
               filter (where coalesce(l.status, e.status) in ('pending', 'sending', 'retrying')) as due_in_ms,
             bool_or(coalesce(l.attempts, e.attempts) > 0 and coalesce(l.status, e.status) <> 'suppressed') as attempted,
             bool_or(e.folded_into = d.id) as is_told,
             bool_or(coalesce(l.status, e.status) in ('sending', 'retrying') or coalesce(l.status, e.status) = 'pending'
                     and (e.folded_into is not null or e.fold_key is distinct from d.fold_key)) as elsewhere
      from deliveries e
      left join deliveries l on l.tenant_id = e.tenant_id and l.id = e.folded_into and l.id <> d.id
      where d.kind = 'resolved' and e.tenant_id = d.tenant_id and e.alert_id = d.alert_id and e.channel_id = d.channel_id and e.kind <> 'resolved'
    ) earlier on true
    left join lateral (
      select e.id from deliveries e
      where d.kind not in ('resolved', 'test', 'undelivered', 'channel_failing') and d.attempts = 0 and d.body is null
        -- what tells of others is not told by its own end
        and not exists (select from deliveries f where f.tenant_id = d.tenant_id and f.folded_into = d.id)
        and e.tenant_id = d.tenant_id and e.alert_id = d.alert_id and e.channel_id = d.channel_id
        -- pending, said as above
        and e.kind = 'resolved' and e.finished_at is null and e.attempts = 0 and e.expires_at > tocsin_now()
      limit 1
    ) waiting on true`;
  return rows.map(openDeliveryOf);
}

interface LockedRow extends Omit<OpenDelivery, 'channel' | 'told'> {
  enabled: boolean | null;
  version: number | null;
  config: Record<string, unknown> | null;
  secrets: Buffer | null;
  formerSecretsUntilMs: EpochMs | null;
  snapshot: AlertSnapshot | null;
  createdMs: EpochMs | null;
  ruleId: string | null;
  ruleKey: string | null;
  ruleName: string | null;
  annotations: Record<string, string>;
}

function openDeliveryOf({
  enabled,
  version,
  config,
  secrets,
  formerSecretsUntilMs,
  snapshot,
  createdMs,
  ruleId,
  ruleKey,
  ruleName,
  annotations,
  ...rest
}: LockedRow): OpenDelivery {
  const hasChannel = enabled !== null && version !== null && config !== null;
  const isTold = snapshot !== null && createdMs !== null && ruleId !== null && ruleKey !== null && ruleName !== null;
  return {
    ...rest,
    channel: hasChannel ? { enabled, version, config, secrets, formerSecretsUntilMs } : null,
    told: isTold ? { snapshot, createdMs, rule: { id: ruleId, key: ruleKey, name: ruleName }, annotations } : null,
  };
}

/** Ends deliveries under lock without sending. */
export async function endDeliveries(
  sql: SqlTx,
  ended: readonly (DeliveryRef & { status: 'dead' | 'suppressed'; reason: string; foldedInto: string | null })[],
): Promise<void> {
  await sql`
    update deliveries d
    set status = ended.status, reason = ended.reason, folded_into = ended.folded_into, lease_token = null, lease_until = null, finished_at = tocsin_now()
    from unnest(
      ${ended.map((each) => each.tenantId)}::uuid[], ${ended.map((each) => each.deliveryId)}::uuid[],
      ${ended.map((each) => each.status)}::text[], ${ended.map((each) => each.reason)}::text[],
      ${ended.map((each) => each.foldedInto)}::uuid[]
    ) as ended (tenant_id, id, status, reason, folded_into)
    where d.tenant_id = ended.tenant_id and d.id = ended.id and ${among(
      sql,
      'd',
      ended.map((each) => each.deliveryId),
    )}`;
}

/** Puts deliveries under lock off: they are not looked at before then. */
export async function postponeDeliveries(sql: SqlTx, postponed: readonly (DeliveryRef & { byMs: number })[]): Promise<void> {
  await sql`
    update deliveries d
    set next_attempt_at = least(tocsin_now() + make_interval(secs => postponed.by / 1000), d.expires_at), hinted_at = tocsin_now()
    from unnest(
      ${postponed.map((each) => each.tenantId)}::uuid[], ${postponed.map((each) => each.deliveryId)}::uuid[], ${postponed.map((each) => each.byMs)}::float8[]
    ) as postponed (tenant_id, id, by)
    where d.tenant_id = postponed.tenant_id and d.id = postponed.id and ${among(
      sql,
      'd',
      postponed.map((each) => each.deliveryId),
    )}`;
}

/** A message that is over, for whom something may have waited. */
export interface OverMessage {
  overId: string;
  tenantId: string;
  alertId: string;
  /** Null: the channel is deleted. */
  channelId: string | null;
  channelKey: string;
}

/**
 * Makes due at once what waited for these messages to be over: the `resolved` of the same alert for the same channel. What waits for quiet hours or a digest, too,
 * waits on for them.
 */
export async function wakeResolved(sql: SqlTx, over: readonly OverMessage[]): Promise<(DeliveryRef & { overId: string })[]> {
  const alertIds = over.map((each) => each.alertId);
  return sql<(DeliveryRef & { overId: string })[]>`
    update deliveries d set next_attempt_at = greatest(tocsin_now(), d.held_until)
    from unnest(
      ${over.map((each) => each.tenantId)}::uuid[], ${alertIds}::uuid[],
      ${over.map((each) => each.channelId)}::uuid[], ${over.map((each) => each.channelKey)}::text[], ${over.map((each) => each.overId)}::uuid[]
    ) as over (tenant_id, alert_id, channel_id, channel_key, id)
    where d.tenant_id = over.tenant_id and d.alert_id = over.alert_id and (d.channel_id = over.channel_id or d.channel_key = over.channel_key)
      -- pending, said so that the planner is not lured into the index of all that is open
      and d.kind = 'resolved' and d.finished_at is null and d.status not in ('sending', 'retrying') and ${among(sql, 'd', alertIds, 'alert_id')}
    returning d.tenant_id as "tenantId", d.id as "deliveryId", over.id as "overId"`;
}
