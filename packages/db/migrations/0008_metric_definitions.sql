-- A tenant's own metrics: each is read at its instants, a grid of the tenant's, and what was read becomes events.
create table tocsin.metric_definitions (
  tenant_id uuid not null references tocsin.tenants on delete cascade,
  id uuid not null,
  key text not null,
  name text not null,
  unit text,
  -- a metric query in canonical words, with its group-by
  query jsonb not null,
  every_ms bigint not null check (every_ms between 10000 and 86400000),
  evaluation_delay_ms bigint not null check (evaluation_delay_ms between 0 and 3600000),
  enabled boolean not null default true,
  -- counts people's edits; the bookkeeping below does not raise it
  version integer not null default 1,
  created_at timestamptz not null default tocsin.tocsin_now(),
  created_by text not null,
  updated_at timestamptz not null default tocsin.tocsin_now(),
  updated_by text not null,
  -- the oldest instant that is not recorded yet; null: disabled
  next_due_at timestamptz,
  -- in somebody's hands, or waiting after a failure, until then
  held_until timestamptz,
  -- the newest instant that is recorded, the series it found and those that did not fit
  last_run_at timestamptz,
  last_series integer not null default 0,
  last_dropped integer not null default 0,
  -- since the last run that succeeded
  failures integer not null default 0,
  last_error text,
  primary key (tenant_id, id),
  unique (tenant_id, key)
);

call tocsin.protect('tocsin.metric_definitions');

grant select, insert, update, delete on tocsin.metric_definitions to tocsin_app;

create index metric_definitions_due on tocsin.metric_definitions (next_due_at) where next_due_at is not null;

create policy across_tenants on tocsin.metric_definitions to tocsin_pipeline using (true);
grant select (tenant_id, id, next_due_at, held_until), update (held_until) on tocsin.metric_definitions to tocsin_pipeline;

grant create on schema tocsin to tocsin_pipeline;
set local role tocsin_pipeline;

-- Whoever asks has half a minute to record them; after that they are handed out again.
create function tocsin.due_metric_definitions(max_rows integer) returns table (tenant_id uuid, id uuid)
  language sql security definer
  set search_path = pg_catalog, pg_temp
  as $$
  with due as (
    select m.tenant_id, m.id from tocsin.metric_definitions m
    where m.next_due_at <= tocsin.tocsin_now() and (m.held_until is null or m.held_until <= tocsin.tocsin_now())
    order by m.next_due_at
    limit max_rows
    for no key update skip locked
  )
  update tocsin.metric_definitions m set held_until = tocsin.tocsin_now() + interval '30 seconds'
  from due where m.tenant_id = due.tenant_id and m.id = due.id
  returning m.tenant_id, m.id
$$;

grant execute on function tocsin.due_metric_definitions(integer) to tocsin_app;

set local role tocsin_owner;
revoke create on schema tocsin from tocsin_pipeline;
