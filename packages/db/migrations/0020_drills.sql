-- A fire drill: a breach that is made up takes the whole way to the channels named. Its rule has the key `drill:<id>`, which no rule of people can have.
create table tocsin.drills (
  tenant_id uuid not null references tocsin.tenants on delete cascade,
  id uuid not null,
  channels text[] not null,
  severity text not null check (severity in ('info', 'warning', 'error', 'critical')),
  is_scheduled boolean not null,
  status text not null default 'running' check (status in ('running', 'passed', 'failed')),
  rule_id uuid not null,
  run_id uuid,
  started_at timestamptz not null default tocsin.tocsin_now(),
  started_by text not null,
  stored_at timestamptz,
  finished_at timestamptz,
  -- the stages and channels as they were when it was over; null: it runs
  report jsonb,
  primary key (tenant_id, id)
);

create index drills_running on tocsin.drills (started_at) where status = 'running';

create table tocsin.drill_schedules (
  tenant_id uuid primary key references tocsin.tenants on delete cascade,
  cron text not null,
  time_zone text not null,
  channels text[] not null,
  severity text not null check (severity in ('info', 'warning', 'error', 'critical')),
  -- null: the expression names no more instants
  next_at timestamptz,
  updated_at timestamptz not null default tocsin.tocsin_now(),
  updated_by text not null
);

create index drill_schedules_due on tocsin.drill_schedules (next_at) where next_at is not null;

call tocsin.protect('tocsin.drills');
call tocsin.protect('tocsin.drill_schedules');
grant select, insert, update, delete on tocsin.drills, tocsin.drill_schedules to tocsin_app;

create policy across_tenants on tocsin.drills to tocsin_pipeline using (true);
create policy across_tenants on tocsin.drill_schedules to tocsin_pipeline using (true);
grant select (tenant_id, id, status, started_at) on tocsin.drills to tocsin_pipeline;
grant select (tenant_id, next_at) on tocsin.drill_schedules to tocsin_pipeline;
-- How many channels fail is a number of the installation.
grant select (failures) on tocsin.channels to tocsin_pipeline;
grant select (finished_at) on tocsin.deliveries to tocsin_pipeline;
create index deliveries_dead_lately on tocsin.deliveries (finished_at) where status = 'dead';
create index channels_failing on tocsin.channels (failures) where failures > 0;

grant create on schema tocsin to tocsin_pipeline;
set local role tocsin_pipeline;
alter default privileges revoke execute on functions from public;

create function tocsin.running_drills(max_rows integer) returns table (tenant_id uuid, id uuid)
  language sql stable security definer
  set search_path = pg_catalog, pg_temp
  as $$ select d.tenant_id, d.id from tocsin.drills d where d.status = 'running' order by d.started_at limit max_rows $$;

create function tocsin.due_drill_schedules(max_rows integer) returns setof uuid
  language sql stable security definer
  set search_path = pg_catalog, pg_temp
  as $$ select tenant_id from tocsin.drill_schedules where next_at <= tocsin.tocsin_now() order by next_at limit max_rows $$;

-- How the installation stands, in numbers only: how late the slots, the runs, the outbox and the deliveries are, in milliseconds, 0 where nothing waits;
-- how many channels have failed so often in a row, and how many deliveries were given up within so many seconds. The last two leave out the platform's own
-- tenant, whose rules look at them: no alert may be about itself.
create function tocsin.standing(failing_after integer, dead_within_s float8) returns table (
  slots_late_ms float8, runs_age_ms float8, triggers_age_ms float8, deliveries_late_ms float8, retrying bigint, channels_failing bigint, dead bigint
)
  language sql stable security definer
  set search_path = pg_catalog, pg_temp
  as $$
  select
    greatest(0, coalesce((select extract(epoch from tocsin.tocsin_now() - min(greatest(next_slot_at, backed_off_until))) * 1000
      from tocsin.schedules where next_slot_at is not null), 0))::float8,
    coalesce((select extract(epoch from tocsin.tocsin_now() - min(created_at)) * 1000 from tocsin.runs where status in ('queued', 'running')), 0)::float8,
    coalesce((select extract(epoch from tocsin.tocsin_now() - min(created_at)) * 1000 from tocsin.triggers where status = 'pending'), 0)::float8,
    coalesce((select extract(epoch from tocsin.tocsin_now() - min(greatest(next_attempt_at, lease_until))) * 1000 from tocsin.deliveries
      where status in ('pending', 'sending', 'retrying') and next_attempt_at <= tocsin.tocsin_now()
        and (lease_until is null or lease_until <= tocsin.tocsin_now())), 0)::float8,
    (select count(*) from tocsin.deliveries where status = 'retrying'),
    (select count(*) from tocsin.channels where failures > 0 and failures >= failing_after and tenant_id <> '00000000-0000-8000-8000-000000000001'),
    (select count(*) from tocsin.deliveries where status = 'dead' and tenant_id <> '00000000-0000-8000-8000-000000000001' and finished_at > tocsin.tocsin_now() - make_interval(secs => dead_within_s))
$$;

grant execute on function tocsin.running_drills(integer), tocsin.due_drill_schedules(integer), tocsin.standing(integer, float8) to tocsin_app;

set local role tocsin_owner;
revoke create on schema tocsin from tocsin_pipeline;
