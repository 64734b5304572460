import type { SqlTx } from '../with-tenants.ts';

/** Some of what goes to one channel. */
export interface WindowRef {
  tenantId: string;
  channelId: string;
  /** `channel`: all of it. `rule:<id>`, and what follows after another colon: some of what is about a rule. */
  scope: string;
}

export interface CountedWindow extends WindowRef {
  /** Messages that were counted in it before these. */
  before: number;
  endsInMs: number;
  /** What people allow the channel in a minute; null: they said nothing. */
  maxPerMinute: number | null;
}

/**
 * Counts messages into their windows, each of which is open for `lengthMs` from its first message on; a window that is over opens anew with
 * these. Whoever counts into the same window at the same time waits, so that one alone is the first. Not answered: channels that are told of
 * each alert by itself.
 */
export async function countMessages(
  sql: SqlTx,
  counted: readonly (WindowRef & { messages: number })[],
  lengthMs: number,
): Promise<CountedWindow[]> {
  const length = sql`make_interval(secs => ${lengthMs}::float8 / 1000)`;
  // Now is when the transaction began: whoever waited finds a window that was opened since. What lies further ahead is from before the clock was set back.
  const isOpen = sql`w.opened_at > tocsin_now() - ${length} and w.opened_at < tocsin_now() + ${length}`;
  return sql<CountedWindow[]>`
    with new as (
      select * from unnest(
        ${counted.map((each) => each.tenantId)}::uuid[], ${counted.map((each) => each.channelId)}::uuid[], ${counted.map((each) => each.scope)}::text[],
        ${counted.map((each) => each.messages)}::int[]
      ) as new (tenant_id, channel_id, scope, messages)
    ), opened as (
      insert into message_windows as w (tenant_id, channel_id, scope, opened_at, messages)
      select new.tenant_id, new.channel_id, new.scope, tocsin_now(), new.messages
      from new join channels on channels.tenant_id = new.tenant_id and channels.id = new.channel_id
      where channels.grouping
      -- always in this order, so that no two of these wait for each other
      order by 1, 2, 3
      on conflict (tenant_id, channel_id, scope) do update set
        opened_at = case when ${isOpen} then w.opened_at else tocsin_now() end,
        messages = case when ${isOpen} then w.messages else 0 end + excluded.messages
      returning tenant_id, channel_id, scope, opened_at, messages
    )
    select new.tenant_id as "tenantId", new.channel_id as "channelId", new.scope, opened.messages - new.messages as before,
           greatest((extract(epoch from opened.opened_at + ${length} - tocsin_now()) * 1000)::float8, 0) as "endsInMs",
           channels.max_per_minute as "maxPerMinute"
    from new
    join opened on opened.tenant_id = new.tenant_id and opened.channel_id = new.channel_id and opened.scope = new.scope
    join channels on channels.tenant_id = new.tenant_id and channels.id = new.channel_id`;
}

/**
 * Locks the windows of these rules before any is counted into, so that no two who count in several steps wait for each other.
 */
export async function lockWindowsOfRules(sql: SqlTx, rules: readonly { tenantId: string; ruleId: string }[]): Promise<void> {
  await sql`
    select 1 from message_windows w
    where (w.tenant_id, split_part(w.scope, ':', 2)) in (
      select tenant_id, rule_id::text
      from unnest(${rules.map((each) => each.tenantId)}::uuid[], ${rules.map((each) => each.ruleId)}::uuid[]) as rules (tenant_id, rule_id)
    )
    order by w.tenant_id, w.channel_id, w.scope
    for no key update of w`;
}
