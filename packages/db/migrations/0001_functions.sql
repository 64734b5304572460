-- Days of the partitioned tables. Run as the table owner, because they make and drop tables; they read no rows.

create function tocsin.ensure_partitions(from_at timestamptz, to_at timestamptz, only_table text default null) returns integer
  language plpgsql security definer
  set search_path = pg_catalog, pg_temp set timezone = 'UTC'
  as $$
declare
  parent regclass;
  day timestamptz;
  partition text;
  made integer := 0;
begin
  if to_at - from_at > interval '400 days' then
    raise exception 'more than 400 days of partitions in one call' using errcode = '22023';
  end if;
  for parent, day, partition in
    select p.partrelid::regclass, d.day, c.relname || to_char(d.day, '"_"YYYYMMDD')
    from pg_partitioned_table p
      join pg_class c on c.oid = p.partrelid
      cross join generate_series(date_trunc('day', from_at), to_at, interval '1 day') d(day)
    where c.relnamespace = 'tocsin'::regnamespace and c.relname = coalesce(only_table, c.relname)
      and not exists (
        select from pg_class made
        where made.relnamespace = c.relnamespace and made.relname = c.relname || to_char(d.day, '"_"YYYYMMDD')
      )
    order by d.day, c.relname
  loop
    -- two at once: the second waits here, and then sees the day in a new snapshot (to_regclass would answer from its cache)
    perform pg_advisory_xact_lock(hashtextextended('tocsin.partitions', 0));
    continue when exists (select from pg_class made where made.relnamespace = 'tocsin'::regnamespace and made.relname = partition);
    execute format('create table tocsin.%I (like %s including all)', partition, parent);
    execute format('call tocsin.protect(%L)', 'tocsin.' || partition);
    -- a segment of a usual minute lies in its row instead of a second table
    if parent = 'tocsin.segments'::regclass then
      execute format('alter table tocsin.%I set (toast_tuple_target = 8160)', partition);
    end if;
    execute format('alter table %s attach partition tocsin.%I for values from (%L) to (%L)', parent, partition, day, day + interval '1 day');
    made := made + 1;
  end loop;
  return made;
end $$;

-- The days that may be written to: back to the oldest event that is still taken, and a week ahead for every table.
-- Three days back for the others: a schedule of one slot a day still records the slot before its newest.
create function tocsin.ensure_horizon(retention interval default interval '30 days') returns integer
  language sql security definer
  set search_path = pg_catalog, pg_temp
  as $$
  select tocsin.ensure_partitions(tocsin.tocsin_now() - retention, tocsin.tocsin_now() + interval '7 days', 'segments')
       + tocsin.ensure_partitions(tocsin.tocsin_now() - interval '3 days', tocsin.tocsin_now() + interval '7 days')
$$;

-- Dropping locks the whole table for a moment, so it gives up after 200 ms (55P03) rather than make everyone queue behind it: try again.
create function tocsin.drop_oldest_partition(of_table text, before timestamptz) returns text
  language plpgsql security definer
  set search_path = pg_catalog, pg_temp set timezone = 'UTC' set lock_timeout = '200ms'
  as $$
declare
  oldest text;
begin
  if before > tocsin.tocsin_now() - interval '1 day' then
    raise exception 'a partition younger than a day is never dropped' using errcode = '22023';
  end if;
  select c.relname into oldest
  from pg_inherits i
    join pg_class c on c.oid = i.inhrelid
    join pg_class parent on parent.oid = i.inhparent
  where parent.relnamespace = 'tocsin'::regnamespace and parent.relname = of_table and parent.relkind = 'p' and c.relkind = 'r'
    and to_date(right(c.relname, 8), 'YYYYMMDD')::timestamptz + interval '1 day' <= before
  order by c.relname
  limit 1;
  if oldest is not null then
    execute format('drop table tocsin.%I', oldest);
  end if;
  return oldest;
end $$;

grant execute on function tocsin.ensure_partitions(timestamptz, timestamptz, text), tocsin.ensure_horizon(interval), tocsin.drop_oldest_partition(text, timestamptz) to tocsin_app;

-- What has to look across tenants: finds work, returns ids, counts or a time, never a row's content. FORCE binds the table owner too, so these
-- belong to a role of their own, which sees five tables and of them only the columns named here.

create policy across_tenants on tocsin.schedules to tocsin_pipeline using (true);
create policy across_tenants on tocsin.runs to tocsin_pipeline using (true);
create policy across_tenants on tocsin.triggers to tocsin_pipeline using (true);
create policy across_tenants on tocsin.deliveries to tocsin_pipeline using (true);
create policy across_tenants on tocsin.alert_timers to tocsin_pipeline using (true);

grant select (tenant_id, next_slot_at, backed_off_until), update (next_slot_at) on tocsin.schedules to tocsin_pipeline;
grant select (tenant_id, id, slot_at, status, lease_until, hinted_at, hints, created_at), update (hinted_at, hints) on tocsin.runs to tocsin_pipeline;
grant select (tenant_id, id, status, hinted_at, hints, created_at), update (hinted_at, hints) on tocsin.triggers to tocsin_pipeline;
grant select (tenant_id, id, status, lease_until, next_attempt_at, hinted_at, hints, created_at), update (hinted_at, hints)
  on tocsin.deliveries to tocsin_pipeline;
grant select (tenant_id, id, due_at, hinted_at, hints), update (hinted_at, hints) on tocsin.alert_timers to tocsin_pipeline;

grant create on schema tocsin to tocsin_pipeline;
set local role tocsin_pipeline;
alter default privileges revoke execute on functions from public;

-- The sweeps change no key, so they lock `for no key update`: a row that refers to theirs may be written meanwhile.

-- How long after its last hint a row is hinted again: 5 s, doubling, at most 5 min.
create function tocsin.hint_wait(hints integer) returns interval
  language sql immutable parallel safe
  as $$ select least(interval '5 seconds' * power(2, least(hints, 6)), interval '5 minutes') $$;

-- The rows stay locked for the caller's transaction, which reads and advances them through the tenants' own policy.
create function tocsin.lock_due_schedules(max_rows integer) returns setof uuid
  language sql security definer
  set search_path = pg_catalog, pg_temp
  as $$
  select tenant_id from tocsin.schedules
  where next_slot_at is not null and greatest(next_slot_at, backed_off_until) <= tocsin.tocsin_now()
  order by greatest(next_slot_at, backed_off_until)
  limit max_rows
  for no key update skip locked
$$;

create function tocsin.next_due_at() returns timestamptz
  language sql stable security definer
  set search_path = pg_catalog, pg_temp
  as $$ select min(greatest(next_slot_at, backed_off_until)) from tocsin.schedules where next_slot_at is not null $$;

-- A run waits for the earlier ones of its tenant.
create function tocsin.due_runs(max_rows integer) returns table (tenant_id uuid, id uuid)
  language sql security definer
  set search_path = pg_catalog, pg_temp
  as $$
  with due as (
    select r.tenant_id, r.slot_at from tocsin.runs r
    where r.status in ('queued', 'running')
      and (r.lease_until is null or r.lease_until <= tocsin.tocsin_now())
      and r.hinted_at + tocsin.hint_wait(r.hints) <= tocsin.tocsin_now()
      and not exists (
        select from tocsin.runs earlier
        where earlier.tenant_id = r.tenant_id and earlier.slot_at < r.slot_at and earlier.status in ('queued', 'running')
      )
    order by r.hinted_at
    limit max_rows
    for no key update skip locked
  )
  update tocsin.runs r set hinted_at = tocsin.tocsin_now(), hints = r.hints + 1
  from due where r.tenant_id = due.tenant_id and r.slot_at = due.slot_at
  returning r.tenant_id, r.id
$$;

create function tocsin.due_triggers(max_rows integer) returns table (tenant_id uuid, id uuid)
  language sql security definer
  set search_path = pg_catalog, pg_temp
  as $$
  with due as (
    select t.tenant_id, t.id from tocsin.triggers t
    where t.status = 'pending'
      and t.hinted_at + tocsin.hint_wait(t.hints) <= tocsin.tocsin_now()
    order by t.hinted_at
    limit max_rows
    for no key update skip locked
  )
  update tocsin.triggers t set hinted_at = tocsin.tocsin_now(), hints = t.hints + 1
  from due where t.tenant_id = due.tenant_id and t.id = due.id
  returning t.tenant_id, t.id
$$;

-- A hint given before the attempt fell due says nothing of that attempt: the wait starts anew.
create function tocsin.due_deliveries(max_rows integer) returns table (tenant_id uuid, id uuid)
  language sql security definer
  set search_path = pg_catalog, pg_temp
  as $$
  with due as (
    select d.tenant_id, d.id from tocsin.deliveries d
    where d.status in ('pending', 'sending', 'retrying')
      and d.next_attempt_at <= tocsin.tocsin_now() - tocsin.hint_wait(0)
      and (d.lease_until is null or d.lease_until <= tocsin.tocsin_now())
      and (d.hinted_at < d.next_attempt_at or d.hinted_at + tocsin.hint_wait(d.hints) <= tocsin.tocsin_now())
    order by d.next_attempt_at
    limit max_rows
    for no key update skip locked
  )
  update tocsin.deliveries d
  set hinted_at = tocsin.tocsin_now(), hints = case when d.hinted_at < d.next_attempt_at then 1 else d.hints + 1 end
  from due where d.tenant_id = due.tenant_id and d.id = due.id
  returning d.tenant_id, d.id
$$;

-- Nobody else hints a timer, so it is handed out the moment it falls due.
create function tocsin.due_alert_timers(max_rows integer) returns table (tenant_id uuid, id uuid)
  language sql security definer
  set search_path = pg_catalog, pg_temp
  as $$
  with due as (
    select t.tenant_id, t.id from tocsin.alert_timers t
    where t.due_at <= tocsin.tocsin_now()
      and (t.hinted_at is null or t.hinted_at < t.due_at or t.hinted_at + tocsin.hint_wait(t.hints) <= tocsin.tocsin_now())
    order by t.due_at
    limit max_rows
    for no key update skip locked
  )
  update tocsin.alert_timers t
  set hinted_at = tocsin.tocsin_now(), hints = case when t.hinted_at is null or t.hinted_at < t.due_at then 1 else t.hints + 1 end
  from due where t.tenant_id = due.tenant_id and t.id = due.id
  returning t.tenant_id, t.id
$$;

-- Tenants in the order of their ids, from the one after `after` (null: from the first). Every tenant has a schedule.
create function tocsin.tenants_after(after uuid, max_rows integer) returns setof uuid
  language sql stable security definer
  set search_path = pg_catalog, pg_temp
  as $$ select tenant_id from tocsin.schedules where after is null or tenant_id > after order by tenant_id limit max_rows $$;

-- What is unfinished, in numbers only; `oldest_at` is when the oldest of them was made.
create function tocsin.backlog() returns table (kind text, status text, waiting bigint, oldest_at timestamptz)
  language sql stable security definer
  set search_path = pg_catalog, pg_temp
  as $$
  select 'runs', status, count(*), min(created_at) from tocsin.runs where status in ('queued', 'running') group by status
  union all
  select 'triggers', status, count(*), min(created_at) from tocsin.triggers where status = 'pending' group by status
  union all
  select 'deliveries', status, count(*), min(created_at) from tocsin.deliveries where status in ('pending', 'sending', 'retrying') group by status
  union all
  select 'alert_timers', 'due', count(*), min(due_at) from tocsin.alert_timers where due_at <= tocsin.tocsin_now() having count(*) > 0
$$;

grant execute on function tocsin.lock_due_schedules(integer), tocsin.next_due_at(), tocsin.due_runs(integer), tocsin.due_triggers(integer),
  tocsin.due_deliveries(integer), tocsin.due_alert_timers(integer), tocsin.tenants_after(uuid, integer), tocsin.backlog() to tocsin_app;

set local role tocsin_owner;
revoke create on schema tocsin from tocsin_pipeline;
